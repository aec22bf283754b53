// What an audit is told of the repository.
#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

struct Facts : WorkspaceTest {
  port::RepositoryFacts gather(const port::RepositoryQuestions& questions) const {
    const auto facts = git::gather_facts(repository.root().string(), questions);
    EXPECT_TRUE(facts) << facts.error().message;
    return facts ? *facts : port::RepositoryFacts{};
  }
  std::string land_as(const std::string& commit, const std::string& base, const std::string& event) {
    port::LandSpec spec = a_landing(candidate(a_candidate(commit, "Merge t1\n\nBernstein-Event: " + event + "\n")));
    spec.expected = base;
    const auto landed = workspace().land(spec);
    EXPECT_TRUE(landed);
    return std::get<port::Landed>(*landed).commit;
  }
};

TEST_F(Facts, TellWhatLandedAndWhatIsKept) {
  const std::string base = start();
  write_file(worktree() / "b.txt", "b\n");
  const port::Captured work = capture(base);
  const std::string merge = land_as(work.commit, base, "9 0011");

  const port::RepositoryFacts facts =
      gather({.targets = {{k_main, base}, {"refs/heads/gone", base}}, .commits = {work.commit, merge, "no id at all"}});

  ASSERT_EQ(facts.targets.size(), 1U);
  EXPECT_EQ(facts.targets.at(k_main).reached, (std::set<std::string>{work.commit, merge}));
  ASSERT_EQ(facts.targets.at(k_main).landings.size(), 1U);
  EXPECT_EQ(facts.targets.at(k_main).landings[0].commit, merge);
  EXPECT_EQ(facts.targets.at(k_main).landings[0].event, "9 0011");
  EXPECT_EQ(facts.commits.at(merge).parents, (std::vector<std::string>{base, work.commit}));
  EXPECT_EQ(facts.commits.at(work.commit).tree, work.tree);
  EXPECT_EQ(facts.refs.at(k_salvage), work.commit);
  EXPECT_EQ(facts.salvaged, (std::set<std::string>{work.commit}));
  EXPECT_EQ(facts.places, (std::set<std::string>{k_session}));
}

TEST_F(Facts, TakeACopyThatAPersonMadeForNoLanding) {
  const std::string base = start();
  write_file(worktree() / "b.txt", "b\n");
  const std::string merge = land_as(capture(base).commit, base, "9 0011");
  repository.git("reset -q --hard " + merge);
  repository.git("revert --no-edit -m 1 HEAD");
  repository.git("cherry-pick -m 1 " + merge);

  const port::RepositoryFacts facts = gather({.targets = {{k_main, base}}, .commits = {merge}});

  EXPECT_EQ(facts.targets.at(k_main).reached, (std::set<std::string>{merge}));
  ASSERT_EQ(facts.targets.at(k_main).landings.size(), 1U);
  EXPECT_EQ(facts.targets.at(k_main).landings[0].commit, merge);
}

TEST_F(Facts, OfABranchThatWasMovedBackLackTheLanding) {
  const std::string base = start();
  write_file(worktree() / "b.txt", "b\n");
  const std::string merge = land_as(capture(base).commit, base, "9 0011");
  repository.git("update-ref refs/heads/main " + base);

  const port::RepositoryFacts facts = gather({.targets = {{k_main, base}}, .commits = {merge}});

  EXPECT_TRUE(facts.targets.at(k_main).reached.empty());
  EXPECT_TRUE(facts.commits.contains(merge));
}

}  // namespace
}  // namespace bernstein::test
