// Making and removing worktrees, beside what git does for the same, in the same run: fresh, and out of the pool.
//
//     build/bench/tools/bench/worktrees [--large] [--rounds N] [--in DIRECTORY]
//
// Repositories of 1,000 and 10,000 files of 4 KB (90,000 with --large). Between two uses of a directory an agent has
// changed 20 files and added 20, and the next tree differs in 20. Each round does everything once, so that noise of the
// machine hits all alike; medians, and their ratio to `git worktree add` or `git worktree remove --force`.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bernstein/base/check.hpp"
#include "bernstein/git/workspace.hpp"

namespace {

namespace fs = std::filesystem;
using namespace bernstein;
constexpr int k_changed = 20;
constexpr std::size_t k_file_bytes = 4096;

void shell(const std::string& command) {
  BERNSTEIN_CHECK(std::system((command + " > /dev/null 2>&1").c_str()) == 0, command.c_str());
}

std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  BERNSTEIN_CHECK(pipe != nullptr, "a shell starts");
  char line[200] = "";
  BERNSTEIN_CHECK(std::fgets(line, sizeof line, pipe) != nullptr, command.c_str());
  ::pclose(pipe);
  return std::string(line).substr(0, 40);
}

fs::path file_of(int i) {
  return "d" + std::to_string(i / 100) + "/f" + std::to_string(i) + ".txt";
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

std::string text_of(int i, const std::string& mark) {
  std::string text = mark + " " + std::to_string(i) + "\n";
  while (text.size() < k_file_bytes) text += "line " + std::to_string(i * 7919 + static_cast<int>(text.size())) + "\n";
  return text.substr(0, k_file_bytes);
}

class Bench {
 public:
  Bench(const fs::path& place, int files)
      : root_(place / "repository"), files_(files), git_("git -C " + root_.string() + " ") {
    fs::create_directories(root_);
    shell(git_ + "init -q -b main");
    shell(git_ + "config gc.auto 0");  // not in the middle of a round
    for (int i = 0; i < files_; ++i) write(root_ / file_of(i), text_of(i, "first"));
    commits_[0] = commit();
    for (int i = 0; i < k_changed; ++i) write(root_ / file_of(i * files_ / k_changed), text_of(i, "second"));
    commits_[1] = commit();
    shell(git_ + "gc -q");
    for (int i : {0, 1}) trees_[i] = output_of(git_ + "rev-parse " + commits_[i] + "^{tree}");
    workspace_ = git::open_workspace(root_.string()).value();
  }

  void round() {
    const fs::path by_git = root_.parent_path() / "by-git";
    timed("git worktree add", [&] { shell(git_ + "worktree add -q --detach " + by_git.string() + " " + commits_[0]); });
    work(by_git);
    timed("git worktree remove --force", [&] { shell(git_ + "worktree remove --force " + by_git.string()); });

    fs::remove_all(root_ / ".sdd/pool");
    timed("create_session, fresh", [&] { create(0); });
    work(root_ / ".sdd/worktrees" / k_session);
    timed("remove_session", [&] { BERNSTEIN_CHECK(workspace_->remove_session(k_session), "removed"); });
    timed("create_session, recycled", [&] { create(1); });
    work(root_ / ".sdd/worktrees" / k_session);
    fs::remove(root_ / ".sdd/agents" / (std::string(k_session) + ".index.key"));
    timed("remove_session, to the trash", [&] { BERNSTEIN_CHECK(workspace_->remove_session(k_session), "removed"); });

    timed("checkout_tree, fresh", [&] { check_out(0); });
    timed("remove_checkout", [&] { BERNSTEIN_CHECK(workspace_->remove_checkout(k_check), "removed"); });
    timed("checkout_tree, recycled", [&] { check_out(1); });
    BERNSTEIN_CHECK(workspace_->remove_checkout(k_check), "removed");
  }

  void print() {
    const double add = median("git worktree add");
    const double remove = median("git worktree remove --force");
    for (const std::string& name : names_) {
      const bool is_removal = name.find("remove") != std::string::npos;
      std::printf("  %-30s %9.1f ms  %5.2f x git\n", name.c_str(), median(name),
                  median(name) / (is_removal ? remove : add));
    }
  }

 private:
  static constexpr const char* k_session = "session-r1-t1.1";
  static constexpr const char* k_check = "check-r1-t1.1";

  std::string commit() {
    shell(git_ + "add -A");
    shell(git_ + "-c user.name=bench -c user.email=bench@localhost commit -q -m bench");
    return output_of(git_ + "rev-parse HEAD");
  }
  void create(int commit) {
    BERNSTEIN_CHECK(workspace_->create_session({k_session, commits_[commit], {}, {}}), "made");
  }
  void check_out(int tree) { BERNSTEIN_CHECK(workspace_->checkout_tree({k_check, trees_[tree]}), "made"); }
  void work(const fs::path& worktree) const {
    for (int i = 0; i < k_changed; ++i) {
      write(worktree / file_of(i * 3 + 1), "changed\n");
      write(worktree / ("new/n" + std::to_string(i)), "added\n");
    }
  }
  void timed(const std::string& name, const std::function<void()>& what) {
    const auto begin = std::chrono::steady_clock::now();
    what();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    if (!times_.contains(name)) names_.push_back(name);
    times_[name].push_back(took.count());
  }
  double median(const std::string& name) {
    std::vector<double>& times = times_.at(name);
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }

  fs::path root_;
  int files_;
  std::string git_;
  std::string commits_[2];
  std::string trees_[2];
  std::unique_ptr<port::Workspace> workspace_;
  std::vector<std::string> names_;
  std::map<std::string, std::vector<double>> times_;
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<int> sizes{1'000, 10'000};
  int rounds = 5;
  fs::path in = fs::temp_directory_path();
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--large") {
      sizes.push_back(90'000);
    } else if (word == "--rounds" && i + 1 < argc) {
      rounds = std::atoi(argv[++i]);
    } else if (word == "--in" && i + 1 < argc) {
      in = argv[++i];
    } else {
      std::cerr << "usage: worktrees [--large] [--rounds N] [--in DIRECTORY]\n";
      return 2;
    }
  }
  ::setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  ::setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
  std::string place = (in / "bernstein-worktrees-XXXXXX").string();
  BERNSTEIN_CHECK(::mkdtemp(place.data()) != nullptr, "a directory for the repositories");
  for (const int files : sizes) {
    Bench bench(fs::path(place) / std::to_string(files), files);
    for (int i = 0; i < rounds; ++i) bench.round();
    std::printf("%d files of 4 KB, %d rounds, medians\n", files, rounds);
    bench.print();
    fs::remove_all(fs::path(place) / std::to_string(files));
  }
  fs::remove_all(place);
  return 0;
}
