// A directory that comes out of the pool is as one that was written anew, whatever was done to it before.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <sstream>

#include "support/crash.hpp"
#include "support/dice.hpp"
#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;
using Dice = std::mt19937_64;
constexpr const char* k_check = "check-r1-t1.1";

std::size_t roll(Dice& dice, std::size_t sides) {
  return static_cast<std::size_t>(dice() % sides);
}

// Sorted; links are not followed.
std::vector<fs::path> paths_below(const fs::path& root) {
  std::vector<fs::path> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    all.push_back(entry.path());
    if (!fs::is_directory(fs::symlink_status(entry.path()))) continue;
    const std::vector<fs::path> below = paths_below(entry.path());
    all.insert(all.end(), below.begin(), below.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

// Kind, mode and content of everything below a directory, and whether another name leads to a file.
std::map<std::string, std::string> picture(const fs::path& root) {
  std::map<std::string, std::string> all;
  const auto look = [&](const fs::path& path) {
    struct ::stat stat {};
    if (::lstat(path.c_str(), &stat) != 0) return;
    std::ostringstream text;
    text << std::oct << stat.st_mode << std::dec << ' ' << stat.st_uid << ' ' << stat.st_gid << ' ';
    if (S_ISREG(stat.st_mode)) text << stat.st_nlink << ' ' << read_file(path);
    if (S_ISLNK(stat.st_mode)) text << stat.st_nlink << " -> " << fs::read_symlink(path).string();
    text << " xattr " << ::llistxattr(path.c_str(), nullptr, 0);
    all[path.lexically_relative(root).string()] = text.str();
  };
  look(root);
  for (const fs::path& path : paths_below(root)) {
    if (path != root / ".git") look(path);
  }
  return all;
}

std::string difference(const std::map<std::string, std::string>& a, const std::map<std::string, std::string>& b) {
  std::string text;
  for (const auto& [path, what] : a) {
    const auto other = b.find(path);
    if (other == b.end()) text += "only recycled: " + path + "\n";
    if (other != b.end() && other->second != what) text += path + ": " + what + "\n  fresh: " + other->second + "\n";
  }
  for (const auto& [path, what] : b) {
    if (!a.contains(path)) text += "only fresh: " + path + "\n";
  }
  return text;
}

ino_t inode(const fs::path& path) {
  struct ::stat stat {};
  return ::lstat(path.c_str(), &stat) == 0 ? stat.st_ino : 0;
}

struct Pool : WorkspaceTest {
  explicit Pool(const std::string& name = "repository") : WorkspaceTest(name) {
    repository.write(".gitignore", ".sdd/\nignored/\n");
    for (int i = 0; i < 8; ++i) repository.write("lib/f" + std::to_string(i), "file " + std::to_string(i) + "\n");
    base = repository.commit("more");
  }
  fs::path pool() const { return repository.root() / ".sdd/pool"; }
  std::size_t boxes(const std::string& kind) const {
    std::size_t count = 0;
    if (!fs::exists(pool())) return count;
    for (const auto& box : fs::directory_iterator(pool())) count += box.path().filename().string().starts_with(kind);
    return count;
  }
  std::string tree(const std::string& commit = "main") const {
    return repository.git("rev-parse " + commit + "^{tree}");
  }
  void check_out(const std::string& wanted, const std::string& name = k_check) {
    const auto made = workspace().checkout_tree({.name = name, .tree = wanted});
    ASSERT_TRUE(made) << made.error().message;
  }
  void remove(const std::string& name = k_session) {
    const Status removed = workspace().remove_session(name);
    ASSERT_TRUE(removed) << removed.error().message;
  }
  void remove_check(const std::string& name = k_check) { ASSERT_TRUE(workspace().remove_checkout(name)); }
  // What the same call gives without a pool.
  std::map<std::string, std::string> fresh_picture(const std::string& wanted) {
    fs::rename(pool(), repository.outside() / "aside");
    check_out(wanted, "check-r1-t9.9");
    auto fresh = picture(worktree("check-r1-t9.9"));
    EXPECT_TRUE(workspace().remove_checkout("check-r1-t9.9"));
    fs::remove_all(pool());
    fs::rename(repository.outside() / "aside", pool());
    return fresh;
  }

  std::string base;
};

TEST_F(Pool, GivesAFileThatStandsAsItWasWrittenToTheNextSession) {
  start();
  const ino_t kept = inode(worktree() / "lib/f1");
  write_file(worktree() / "lib/f2", "changed\n");
  capture(base);
  remove();
  ASSERT_EQ(boxes("session-"), 1U);

  start({.name = "session-r1-t2.1"});

  EXPECT_EQ(boxes("session-"), 0U);
  EXPECT_EQ(inode(worktree("session-r1-t2.1") / "lib/f1"), kept);
  EXPECT_EQ(read_file(worktree("session-r1-t2.1") / "lib/f2"), "file 2\n");
  EXPECT_EQ(agent_git("status --porcelain --ignored", "session-r1-t2.1").output, "");
  EXPECT_TRUE(fs::is_empty(pool()));
}

TEST_F(Pool, NeverUsesForACheckWhatAnAgentHad) {
  start();
  const ino_t agents = inode(worktree());
  remove();

  check_out(tree());

  EXPECT_EQ(boxes("session-"), 1U);
  EXPECT_NE(inode(worktree(k_check)), agents);
}

TEST_F(Pool, GivesACheckoutToTheNextCheckOfAnotherTree) {
  check_out(tree());
  const ino_t kept = inode(worktree(k_check) / "lib/f1");
  remove_check();
  repository.write("lib/f2", "other\n");
  repository.write("new/x", "x\n");
  fs::remove(repository.root() / "lib/f3");
  repository.commit("other");

  check_out(tree());

  EXPECT_EQ(inode(worktree(k_check) / "lib/f1"), kept);
  EXPECT_EQ(difference(picture(worktree(k_check)), fresh_picture(tree())), "");
}

TEST_F(Pool, KeepsFourOfAKindAndNothingThatWasAdded) {
  for (int i = 1; i <= 6; ++i) start({.name = "session-r1-t" + std::to_string(i) + ".1"});
  write_file(worktree("session-r1-t1.1") / "ignored/large", std::string(1 << 20, 'x'));
  for (int i = 1; i <= 6; ++i) remove("session-r1-t" + std::to_string(i) + ".1");

  EXPECT_EQ(boxes("session-"), 4U);
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/trash"));
  EXPECT_EQ(shell("find " + shell_word(pool()) + " -name large").output, "");
}

TEST_F(Pool, WritesAllAnewWhenAttributesDiffer) {
  repository.write("lib/.gitattributes", "f1 text eol=crlf\n");
  const std::string with = (repository.commit("line ends"), tree());
  check_out(tree(base));
  remove_check();

  check_out(with);

  EXPECT_EQ(read_file(worktree(k_check) / "lib/f1"), "file 1\r\n");
  remove_check();
  check_out(tree(base));
  EXPECT_EQ(read_file(worktree(k_check) / "lib/f1"), "file 1\n");
}

TEST_F(Pool, WritesAllAnewWhenASettingOfThePersonDiffers) {
  check_out(tree());
  remove_check();
  repository.git("config core.autocrlf true");

  check_out(tree());

  EXPECT_EQ(read_file(worktree(k_check) / "lib/f1"), "file 1\r\n");
}

TEST_F(Pool, DoesNotTakeADirectoryInWhichAProcessStillWorks) {
  start();
  const ino_t old = inode(worktree());
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ready[1]);
    if (::chdir(worktree().c_str()) != 0) ::_exit(1);
    char byte = 0;
    static_cast<void>(::read(ready[0], &byte, 1));
    ::_exit(0);
  }
  while (fs::read_symlink("/proc/" + std::to_string(child) + "/cwd") != worktree()) ::usleep(1000);
  remove();

  start({.name = "session-r1-t2.1"});

  EXPECT_NE(inode(worktree("session-r1-t2.1")), old);
  ::close(ready[0]), ::close(ready[1]);
  ::waitpid(child, nullptr, 0);
}

TEST_F(Pool, KeepsNothingOfWhatPointsOutOfTheDirectory) {
  write_file(repository.outside() / "safe/f1", "mine\n");
  start();
  fs::remove_all(worktree() / "lib");
  fs::create_directory_symlink(repository.outside() / "safe", worktree() / "lib");
  fs::remove(worktree() / "README.md");
  fs::create_symlink(repository.outside() / "safe/f1", worktree() / "README.md");
  remove();

  start({.name = "session-r1-t2.1"});

  EXPECT_EQ(read_file(repository.outside() / "safe/f1"), "mine\n");
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(worktree("session-r1-t2.1") / "lib")));
  EXPECT_EQ(read_file(worktree("session-r1-t2.1") / "lib/f1"), "file 1\n");
  EXPECT_EQ(read_file(worktree("session-r1-t2.1") / "README.md"), "hello\n");
}

TEST_F(Pool, ReplacesAFileThatAnotherNameLeadsTo) {
  start();
  fs::create_hard_link(worktree() / "lib/f1", repository.outside() / "kept");
  remove();

  start({.name = "session-r1-t2.1"});
  write_file(repository.outside() / "kept", "planted\n");

  EXPECT_EQ(read_file(worktree("session-r1-t2.1") / "lib/f1"), "file 1\n");
}

TEST_F(Pool, LeavesADirectoryAloneThatIsTooDeep) {
  start();
  const ino_t old = inode(worktree());
  const int held = ::open(worktree().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // its number is not given again
  const std::string deep = "cd " + shell_word(worktree()) + " && for i in $(seq 400); do mkdir d && cd d; done";
  ASSERT_EQ(shell(deep).exit_code, 0);
  remove();

  start({.name = "session-r1-t2.1"});

  EXPECT_NE(inode(worktree("session-r1-t2.1")), old);
  EXPECT_FALSE(fs::exists(worktree("session-r1-t2.1") / "d"));
  EXPECT_EQ(boxes("session-"), 0U);
  ::close(held);
}

TEST_F(Pool, ThrowsAwayABoxOfAnotherStartOfTheMachine) {
  check_out(tree());
  remove_check();
  const fs::path box = fs::directory_iterator(pool())->path();
  write_file(box / "files/lib/f1", "half of a file\n");
  write_file(box / "key", std::string(64, '0'));

  check_out(tree());

  EXPECT_EQ(read_file(worktree(k_check) / "lib/f1"), "file 1\n");
  EXPECT_TRUE(fs::is_empty(pool()));
}

TEST_F(Pool, StillRefusesToRemoveASessionWhoseWorkIsNotSaved) {
  start();
  write_file(worktree() / "lib/f1", "work\n");
  agent_git("commit -q -a -m mine");

  const Status removed = workspace().remove_session(k_session);

  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::conflict);
  EXPECT_EQ(read_file(worktree() / "lib/f1"), "work\n");
  EXPECT_EQ(boxes("session-"), 0U);
}

// ---- Crashes ----

struct PoolCrash : Pool, ::testing::WithParamInterface<const char*> {};
TEST_P(PoolCrash, LeavesNothingThatIsTakenForWhole) {
  BERNSTEIN_NEEDS_FAILPOINTS();
  start();
  write_file(worktree() / "lib/f2", "changed\n");
  write_file(worktree() / "planted", "x\n");
  capture(base);
  crash_at(GetParam(), [&] {
    static_cast<void>(workspace().remove_session(k_session));
    start({.name = "session-r1-t2.1"});
  });

  start({.name = "session-r1-t2.1"});

  EXPECT_EQ(agent_git("status --porcelain --ignored", "session-r1-t2.1").output, "");
  EXPECT_EQ(difference(picture(worktree("session-r1-t2.1")), fresh_picture(tree())), "");
  remove();
  remove("session-r1-t2.1");
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/agents"));
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/worktrees"));
  EXPECT_TRUE(fs::is_empty(repository.root() / ".sdd/trash"));
  for (const auto& box : fs::directory_iterator(pool())) {
    EXPECT_TRUE(box.path().filename().string().starts_with("session-")) << box.path();
  }
}
INSTANTIATE_TEST_SUITE_P(Sites, PoolCrash,
                         ::testing::Values("git.pool.after_cache", "git.pool.after_worktree", "git.pool.packed",
                                           "git.give_back.after_cache", "git.pool.claimed", "git.pool.swept",
                                           "git.recycle.after_file", "git.pool.moved", "git.create_session.after_files",
                                           "git.create_session.before_complete"),
                         [](const auto& site) {
                           std::string name = site.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

// ---- Whatever was done to it ----

const std::vector<std::string> k_names{"a", "b", "c", "A", "lib", "x.txt", ".gitignore", "sp ace"};

std::string random_path(Dice& dice) {
  std::string path = k_names[roll(dice, k_names.size())];
  for (std::size_t depth = roll(dice, 3); depth > 0; --depth) path += "/" + k_names[roll(dice, k_names.size())];
  return path;
}

// The same repository with other files.
std::string random_commit(const GitRepository& repository, Dice& dice) {
  for (std::size_t i = 4 + roll(dice, 12); i > 0; --i) {
    const fs::path path = repository.root() / random_path(dice);
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error || fs::is_directory(fs::symlink_status(path))) continue;
    fs::remove(path, error);
    if (roll(dice, 6) == 0) {
      fs::create_symlink(random_path(dice), path, error);
    } else {
      write_file(path, std::string(roll(dice, 40), static_cast<char>('a' + roll(dice, 4))));
      if (roll(dice, 4) == 0) ::chmod(path.c_str(), 0755);
    }
  }
  if (roll(dice, 3) == 0) fs::remove_all(repository.root() / k_names[roll(dice, k_names.size())]);
  if (roll(dice, 4) == 0)
    repository.write(".gitattributes", roll(dice, 2) == 0 ? "*.txt ident\n" : "* text eol=crlf\n");
  return repository.commit("random");
}

void set_times_as(const fs::path& path, const struct ::stat& before) {
  const std::array<::timespec, 2> times{before.st_atim, before.st_mtim};
  ::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

// One thing that an agent may do to one path of its worktree.
void tamper(const fs::path& root, const fs::path& outside, Dice& dice, int number) {
  std::error_code error;
  const std::vector<fs::path> all = paths_below(root);
  if (all.empty()) return;
  const fs::path path = all[roll(dice, all.size())];
  const fs::path aside = outside / ("aside-" + std::to_string(number));
  struct ::stat before {};
  if (::lstat(path.c_str(), &before) != 0) return;
  switch (roll(dice, 17)) {
    case 0:
      if (S_ISREG(before.st_mode)) write_file(path, "tampered");
      break;
    case 1:  // the same size and time
      if (S_ISREG(before.st_mode)) {
        write_file(path, std::string(static_cast<std::size_t>(before.st_size), '#'));
        set_times_as(path, before);
      }
      break;
    case 2:
      if (!S_ISLNK(before.st_mode)) ::chmod(path.c_str(), static_cast<::mode_t>(roll(dice, 01000)));
      break;
    case 3:
      if (!S_ISDIR(before.st_mode)) fs::create_hard_link(path, aside, error);
      break;
    case 4:
      fs::rename(path, aside, error);
      fs::create_symlink(aside, path, error);
      break;
    case 5:
      fs::remove_all(path, error);
      break;
    case 6:
      fs::remove_all(path, error);
      ::mkfifo(path.c_str(), 0644);
      break;
    case 7:
      fs::remove_all(path, error);
      fs::create_directories(path / "in/it", error);
      break;
    case 8:
      if (S_ISDIR(before.st_mode)) shell("git init -q " + shell_word(path) + " && touch " + shell_word(path / "n"));
      break;
    case 9:
      if (S_ISDIR(before.st_mode)) write_file(path / "untracked", "u");
      break;
    case 10: {  // a copy in its place, which another name led to
      fs::copy(path, aside, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
      fs::remove_all(path, error);
      fs::rename(aside, path, error);
      set_times_as(path, before);
      break;
    }
    case 11: {  // two change places
      const fs::path other = all[roll(dice, all.size())];
      fs::rename(path, aside, error);
      if (!error) fs::rename(other, path, error);
      fs::rename(aside, other, error);
      break;
    }
    case 12:
      ::lsetxattr(path.c_str(), "user.planted", "x", 1, 0);
      break;
    case 13:
      fs::remove(root / ".git", error);
      write_file(root / ".git", "gitdir: /nowhere\n");
      break;
    case 14: {
      fs::path other = path.parent_path() / "AbC";
      fs::rename(path, other, error);
      break;
    }
    case 15:  // there and back
      fs::rename(path, aside, error);
      fs::rename(aside, path, error);
      break;
    case 16:
      if (S_ISDIR(before.st_mode)) ::chmod(path.c_str(), 02777);
      break;
  }
}

struct RandomPool : Pool {};
TEST_F(RandomPool, IsAsADirectoryThatWasWrittenAnew) {
  const std::uint64_t seed = seed_of_test();
  Dice dice(seed);
  const fs::path outside = repository.outside() / "outside";
  fs::create_directories(outside);
  std::size_t reused = 0;
  int number = 0;
  for (int round = times("BERNSTEIN_ROUNDS", 25); round > 0; --round) {
    const std::string before = tree(random_commit(repository, dice));
    const std::string after = roll(dice, 3) == 0 ? before : tree(random_commit(repository, dice));
    check_out(before);
    for (std::size_t i = roll(dice, 12); i > 0; --i) tamper(worktree(k_check), outside, dice, ++number);
    ::chmod(worktree(k_check).c_str(), 0755);
    remove_check();
    const std::size_t had = boxes("check-");
    // In the pool too: who has no sandbox reaches it.
    if (had > 0 && roll(dice, 3) == 0) {
      tamper(fs::directory_iterator(pool())->path() / "files", outside, dice, ++number);
    }

    check_out(after);

    reused += had > 0 ? 1 : 0;
    ASSERT_EQ(difference(picture(worktree(k_check)), fresh_picture(after)), "") << "seed " << seed;
    // Nobody else holds a file of it.
    shell("find " + shell_word(outside) + " -type f -exec sh -c 'echo planted > \"$1\"' _ {} ';'");
    ASSERT_EQ(difference(picture(worktree(k_check)), fresh_picture(after)), "") << "seed " << seed;
    remove_check();
    shell("chmod -R u+rwx " + shell_word(outside));
    fs::remove_all(outside);
    fs::create_directories(outside);
    if (boxes("check-") > 1) fs::remove_all(fs::directory_iterator(pool())->path());
  }
  EXPECT_GT(reused, 0U);
}

}  // namespace
}  // namespace bernstein::test
