// What is said about a repository before a run starts.
#include "workspace_fixture.hpp"

#ifdef __SANITIZE_ADDRESS__
// libgit2 1.5 loses a match of its regular expressions whenever it opens a repository with extensions.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libpcre2";
}
#endif

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

git::RepoFacts observe(const fs::path& directory) {
  const auto facts = git::observe(directory.string());
  EXPECT_TRUE(facts) << facts.error().message;
  return facts ? *facts : git::RepoFacts{};
}

TEST(Observe, FindsTheRootFromBelowAndTheBranch) {
  const GitRepository repository;
  const git::RepoFacts facts = observe(repository.root() / "src");
  EXPECT_EQ(facts.root, repository.root().string());
  EXPECT_EQ(facts.git_dir, (repository.root() / ".git").string());
  EXPECT_EQ(facts.sdd, (repository.root() / ".sdd").string());
  EXPECT_EQ(facts.worktree, facts.root);
  EXPECT_EQ(facts.head, git::HeadState::branch);
  EXPECT_EQ(facts.branch, "refs/heads/main");
  EXPECT_EQ(facts.tip, repository.tip());
  EXPECT_EQ(facts.dirty_paths, 0);
  EXPECT_FALSE(facts.bare || facts.linked_worktree || facts.shallow || facts.submodules);
  EXPECT_TRUE(facts.filters.empty());
}

TEST(Observe, SaysWhatToDoOutsideOfARepository) {
  isolate_git();
  const TempDirectory directory;
  const auto facts = git::observe(directory.path().string());
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, ErrorCode::environment);
  EXPECT_EQ(facts.error().message, "not a git repository: " + directory.path().string() + "; run `git init`");
}

TEST(Observe, TellsUnbornFromDetached) {
  const GitRepository repository;
  repository.git("checkout -q --detach");
  const git::RepoFacts detached = observe(repository.root());
  EXPECT_EQ(detached.head, git::HeadState::detached);
  EXPECT_EQ(detached.branch, "");
  EXPECT_EQ(detached.tip, repository.tip());
  repository.git("checkout -q --orphan fresh");
  const git::RepoFacts unborn = observe(repository.root());
  EXPECT_EQ(unborn.head, git::HeadState::unborn);
  EXPECT_EQ(unborn.branch, "refs/heads/fresh");
  EXPECT_EQ(unborn.tip, "");
}

TEST(Observe, CountsWhatIsNotCommittedButNotOurOwnFiles) {
  const GitRepository repository;
  repository.write(".gitignore", "*.o\n");
  repository.commit("ignore");
  repository.write("README.md", "changed\n");
  repository.write("new.txt", "new\n");
  repository.write("a.o", "ignored\n");
  repository.write(".sdd/state.db", "ours\n");
  EXPECT_EQ(observe(repository.root()).dirty_paths, 2);
}

TEST(Observe, KnowsLinkedWorktreesBareAndShallowRepositories) {
  const GitRepository repository;
  repository.git("worktree add -q -b side ../side");
  const git::RepoFacts side = observe(repository.outside() / "side");
  EXPECT_TRUE(side.linked_worktree);
  EXPECT_EQ(side.root, repository.root().string());
  EXPECT_EQ(side.worktree, (repository.root().parent_path() / "side").string());
  EXPECT_EQ(side.branch, "refs/heads/side");

  repository.commit("second");
  shell("git clone -q --bare --depth 1 file://" + shell_word(repository.root()) + " " +
        shell_word(repository.outside() / "b.git"));
  const git::RepoFacts bare = observe(repository.outside() / "b.git");
  EXPECT_TRUE(bare.bare);
  EXPECT_TRUE(bare.shallow);
  EXPECT_EQ(bare.root, (repository.root().parent_path() / "b.git").string());
  EXPECT_EQ(bare.worktree, "");
}

TEST(Observe, WarnsOfFiltersAndSubmodules) {
  const GitRepository repository;
  repository.write(".gitattributes", "*.bin filter=lfs diff=lfs -text\n");
  repository.write("big.bin", "pointer\n");
  repository.git("update-index --add --cacheinfo 160000," + repository.tip() + ",lib");
  repository.git("add big.bin .gitattributes");
  repository.git("commit -q -m files");
  const git::RepoFacts facts = observe(repository.root());
  EXPECT_EQ(facts.filters, std::vector<std::string>{"lfs"});
  EXPECT_TRUE(facts.submodules);
}

TEST(Observe, RefusesWhatItCannotReadAndNamesTheRemedy) {
  isolate_git();
  const TempDirectory directory;
  shell("git init -q --object-format=sha256 " + shell_word(directory.path() / "new"));
  const auto facts = git::observe((directory.path() / "new").string());
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().message, "the repository of " + (directory.path() / "new").string() +
                                       " uses SHA-256 object ids, which are not supported yet; use a SHA-1 repository");
}

TEST(Observe, AcceptsARepositoryWithSettingsOfItsWorktrees) {
  const GitRepository repository;
  repository.git("config core.repositoryformatversion 1");
  repository.git("config extensions.worktreeConfig true");
  EXPECT_EQ(observe(repository.root()).tip, repository.tip());
}

}  // namespace
}  // namespace bernstein::test
