#pragma once
// A repository made by the git command line in a directory of the test's own, and git itself to ask what it thinks.
//
//     GitRepository repository;                       // one commit on main: README.md, src/a.txt
//     repository.git("log --oneline")                 // output without the last line break
//     repository.write("src/b.txt", "b\n");

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

#include "bernstein/base/check.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::test {

struct Shell {
  int exit_code = 0;
  std::string output;
};

inline Shell shell(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  BERNSTEIN_CHECK(pipe != nullptr, "a shell starts");
  Shell result;
  std::array<char, 4096> chunk{};
  while (const std::size_t count = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    result.output.append(chunk.data(), count);
  }
  result.exit_code = WEXITSTATUS(::pclose(pipe));
  while (!result.output.empty() && result.output.back() == '\n') result.output.pop_back();
  return result;
}

inline std::string shell_word(const std::filesystem::path& path) {
  std::string text = "'";
  for (const char c : path.string()) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// Nothing of the person who runs the tests is read: neither their configuration nor their repository.
inline void isolate_git() {
  static const TempDirectory home;
  ::setenv("HOME", home.path().c_str(), 1);
  ::setenv("XDG_CONFIG_HOME", (home.path() / "config").c_str(), 1);
  ::setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  for (const char* name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}) ::unsetenv(name);
}

class GitRepository {
 public:
  // `name`: of the repository's directory inside the temporary one.
  explicit GitRepository(const std::string& name = "repository") {
    isolate_git();
    root_ = std::filesystem::canonical(directory_.path()) / name;
    std::filesystem::create_directories(root_);
    git("init -q -b main");
    git("config user.name 'A Person'");
    git("config user.email person@example.com");
    git("config gc.auto 0");
    write("README.md", "hello\n");
    write("src/a.txt", "one\ntwo\nthree\n");
    commit("first");
  }

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path outside() const { return directory_.path(); }  // of the repository, and the test's own

  Shell try_git(const std::string& arguments) const { return git_in(root_, arguments); }
  static Shell git_in(const std::filesystem::path& directory, const std::string& arguments) {
    return shell("git -C " + shell_word(directory) + " " + arguments);
  }
  std::string git(const std::string& arguments) const {
    const Shell result = try_git(arguments);
    EXPECT_EQ(result.exit_code, 0) << "git " << arguments << ": " << result.output;
    return result.output;
  }

  void write(const std::string& path, const std::string& text) const { write_file(root_ / path, text); }
  std::string read(const std::string& path) const { return read_file(root_ / path); }
  std::string commit(const std::string& message) const {
    git("add -A");
    git("commit -q --allow-empty -m " + shell_word(message));
    return tip();
  }
  std::string tip(const std::string& branch = "refs/heads/main") const { return git("rev-parse " + branch); }

 private:
  TempDirectory directory_;
  std::filesystem::path root_;
};

}  // namespace bernstein::test
