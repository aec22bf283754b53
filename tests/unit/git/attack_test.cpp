// Attacks of an agent on git, as they work against a shared repository: none of them may run anything, reach the user's
// repository, or make a call hang. Every planted program leaves the file `marker` when it runs.
#include <sys/stat.h>

#include "workspace_fixture.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;

struct Attack : WorkspaceTest {
  fs::path marker() const { return repository.outside() / "marker"; }

  // A script that tells of its run and then does nothing.
  std::string planted() const {
    const fs::path script = repository.outside() / "planted.sh";
    write_file(script, "#!/bin/sh\necho ran >> " + shell_word(marker()) + "\ncat\n");
    fs::permissions(script, fs::perms::owner_all);
    return script.string();
  }
  // Everything of the user's that no session may change.
  std::string users_state() const {
    return repository.read(".git/config") + repository.read(".git/index") + repository.read(".git/HEAD") +
           shell("ls " + shell_word(repository.root() / ".git/hooks")).output +
           repository.git("for-each-ref refs/heads refs/tags");
  }
  // The whole way of an attempt; then nothing must have run.
  void go_through(const std::string& base) {
    const std::string before = users_state();
    const auto captured = workspace().capture(a_capture(base));
    if (captured) {
      ASSERT_TRUE(workspace().checkout_tree({.name = "check-r1-t1.1", .tree = captured->tree}));
      ASSERT_TRUE(workspace().diff(base, captured->commit));
    }
    EXPECT_EQ(users_state(), before);
    if (captured && captured->commit != base) {
      const std::string merge = land(captured->commit);
      ASSERT_TRUE(workspace().sync_checkout(k_main, base, merge));
    }
    ASSERT_TRUE(workspace().remove_session(k_session));
    EXPECT_EQ(read_file(marker()), "");
    EXPECT_EQ(repository.git("fsck --strict --no-dangling"), "");
  }
};

TEST_F(Attack, ProgramsInTheConfigurationOfTheSessionDoNotRun) {
  const std::string base = start();
  const std::string script = planted();
  write_file(worktree() / ".gitattributes", "* filter=evil merge=evil diff=evil\n");
  write_file(worktree() / "b.txt", "b\n");
  write_file(session_repository() / "info/attributes", "* filter=evil merge=evil\n");
  write_file(session_repository() / "hooks/reference-transaction", "#!/bin/sh\n" + script + "\n");
  fs::permissions(session_repository() / "hooks/reference-transaction", fs::perms::owner_all);
  for (const std::string key : {"core.fsmonitor", "core.sshCommand", "core.editor", "core.pager", "filter.evil.clean",
                                "filter.evil.smudge", "filter.evil.process", "merge.evil.driver", "diff.evil.textconv",
                                "diff.external", "gpg.program", "credential.helper", "core.alternateRefsCommand"}) {
    shell("git config -f " + shell_word(session_repository() / "config") + " " + key + " " + shell_word(script));
  }
  shell("git config -f " + shell_word(session_repository() / "config") + " core.hooksPath " +
        shell_word(session_repository() / "hooks"));
  go_through(base);
}

TEST_F(Attack, AHostileGitFileInTheWorktreeIsNotFollowed) {
  const std::string base = start();
  const std::string evil = (repository.outside() / "evil").string();
  shell("git init -q " + shell_word(evil));
  shell("git -C " + shell_word(evil) + " config core.fsmonitor " + shell_word(planted()));
  write_file(worktree() / ".git", "gitdir: " + evil + "/.git\n");
  write_file(worktree() / "b.txt", "b\n");
  go_through(base);
}

TEST_F(Attack, AGitDirectoryInPlaceOfTheGitFileIsNotUsed) {
  const std::string base = start();
  fs::remove(worktree() / ".git");
  shell("git init -q " + shell_word(worktree()));
  shell("git -C " + shell_word(worktree()) + " config core.fsmonitor " + shell_word(planted()));
  write_file(worktree() / "b.txt", "b\n");
  const port::Captured captured = capture(base);
  EXPECT_EQ(text_of(captured.changes), "A b.txt");
  go_through(base);
}

TEST_F(Attack, ABareRepositoryInASubdirectoryIsJustFiles) {
  const std::string base = start();
  shell("git init -q --bare " + shell_word(worktree() / "planted"));
  shell("git config -f " + shell_word(worktree() / "planted/config") + " core.fsmonitor " + shell_word(planted()));
  go_through(base);
}

TEST_F(Attack, ConfigurationThatIncludesAPipeDoesNotMakeUsWait) {
  const std::string base = start();
  ASSERT_EQ(::mkfifo((repository.outside() / "pipe").c_str(), 0600), 0);
  write_file(session_repository() / "config", "[include]\n\tpath = " + (repository.outside() / "pipe").string() + "\n");
  write_file(worktree() / "b.txt", "b\n");
  go_through(base);
}

TEST_F(Attack, AReferenceThatIsAPipeOrALinkIsNotRead) {
  for (const bool pipe : {true, false}) {
    const std::string base = start();
    const fs::path ref = session_repository() / "refs/heads/agent" / k_session;
    fs::remove(ref);
    write_file(repository.outside() / "elsewhere", base + "\n");
    if (pipe) {
      ASSERT_EQ(::mkfifo(ref.c_str(), 0600), 0);
    } else {
      fs::create_symlink(repository.outside() / "elsewhere", ref);
    }
    write_file(worktree() / "b.txt", "b\n");
    const auto captured = workspace().capture(a_capture(base));
    ASSERT_FALSE(captured);
    EXPECT_EQ(captured.error().code, ErrorCode::conflict);
    EXPECT_EQ(repository.git("show " + std::string(k_salvage) + ":b.txt"), "b");
    ASSERT_TRUE(workspace().remove_session(k_session));
  }
}

TEST_F(Attack, ObjectsThatArePipesAreNotOpened) {
  const std::string base = start();
  write_file(worktree() / "b.txt", "b\n");
  agent_git("add -A");
  agent_git("commit -q -m mine");
  ASSERT_EQ(::mkfifo((session_repository() / "objects/pack/pack-0123.idx").c_str(), 0600), 0);
  const auto captured = workspace().capture(a_capture(base));
  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().message, std::string("the objects of ") + k_session +
                                          " are gone or hold special files; what is left is kept as " + k_salvage);
  EXPECT_EQ(repository.git("show " + std::string(k_salvage) + ":b.txt"), "b") << "the files are salvaged all the same";
}

TEST_F(Attack, AForgedObjectIsRefused) {
  const std::string base = start();
  write_file(worktree() / "b.txt", "b\n");
  agent_git("add -A");
  agent_git("commit -q -m mine");
  write_file(worktree() / "c.txt", "something else\n");
  agent_git("add c.txt");
  const auto path_of = [&](const std::string& id) {
    return session_repository() / "objects" / id.substr(0, 2) / id.substr(2);
  };
  const fs::path honest = path_of(agent_git("rev-parse HEAD:b.txt").output);
  const fs::path other = path_of(agent_git("rev-parse :c.txt").output);
  fs::permissions(honest, fs::perms::owner_all);
  fs::copy_file(other, honest, fs::copy_options::overwrite_existing);

  const auto captured = workspace().capture(a_capture(base));

  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().code, ErrorCode::conflict);
  EXPECT_NE(captured.error().message.find("of the agent is refused"), std::string::npos) << captured.error().message;
  EXPECT_EQ(repository.git("show " + std::string(k_salvage) + ":b.txt"), "b");
  EXPECT_EQ(repository.git("fsck --strict --no-dangling"), "");
}

// libgit2 takes the noise for the blob that is to be stored, until it looks into it.
TEST_F(Attack, AnObjectThatIsNoiseIsTheAgentsDoing) {
  const std::string base = start();
  write_file(worktree() / "own.txt", "own\n");
  agent_git("add -A");  // it need not even be committed
  const std::string id = agent_git("rev-parse :own.txt").output;
  const fs::path object = session_repository() / "objects" / id.substr(0, 2) / id.substr(2);
  fs::permissions(object, fs::perms::owner_all);
  write_file(object, "noise");

  const auto captured = workspace().capture(a_capture(base));

  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().code, ErrorCode::conflict) << "an error of the environment would end the whole run";
  EXPECT_NE(captured.error().message.find("object of the agent is refused"), std::string::npos)
      << captured.error().message;
  EXPECT_EQ(repository.git("show " + std::string(k_salvage) + ":own.txt"), "own")
      << "the files are salvaged all the same";
  EXPECT_EQ(repository.git("fsck --strict --no-dangling"), "");
}

TEST_F(Attack, ATreeThatEntersGitIsRefused) {
  const std::string base = start();
  write_file(worktree() / "b.txt", "b\n");
  const std::string blob = agent_git("hash-object -w b.txt").output;
  const std::string inner =
      shell("printf '100644 blob " + blob + "\\thooks\\n' | git -C " + shell_word(worktree()) + " mktree").output;
  // git itself refuses to make such a tree, so its bytes are written as they are.
  std::string bytes = "40000 .git";
  bytes += '\0';
  for (std::size_t i = 0; i < inner.size(); i += 2)
    bytes += static_cast<char>(std::stoi(inner.substr(i, 2), nullptr, 16));
  write_file(repository.outside() / "tree", bytes);
  const std::string tree =
      agent_git("hash-object -w -t tree --literally " + shell_word(repository.outside() / "tree")).output;
  const std::string commit = agent_git("commit-tree -m evil -p HEAD " + tree).output;
  ASSERT_EQ(agent_git("update-ref refs/heads/agent/" + std::string(k_session) + " " + commit).exit_code, 0);

  const auto captured = workspace().capture(a_capture(base));

  ASSERT_FALSE(captured);
  EXPECT_NE(captured.error().message.find("it has an entry '.git', which git forbids"), std::string::npos)
      << captured.error().message;
  EXPECT_EQ(repository.git("fsck --strict --no-dangling"), "");
}

// A server that asks git's fsck would refuse every later push of the person's.
TEST_F(Attack, AGitmodulesThatFsckRefusesIsLeftOutOrRefused) {
  for (const std::string text :
       {"[submodule \"../x\"]\n\tpath = x\n\turl = x\n", "[submodule \"x\"]\n\tupdate = !touch\n",
        "[submodule \"x\"] url = -u./x\n", "[submodule \"x\"]\n\tpath = \"-x\"\n"}) {
    const std::string base = start();
    write_file(worktree() / "b.txt", "b\n");
    write_file(worktree() / ".gitmodules", text);
    const port::Captured captured = capture(base);
    EXPECT_EQ(text_of(captured.changes), "A b.txt") << text;
    ASSERT_EQ(captured.suspicions.size(), 1U) << text;
    EXPECT_TRUE(captured.suspicions[0].starts_with("'.gitmodules' was left out: ")) << captured.suspicions[0];

    agent_git("add -A");
    agent_git("commit -q -m mine");
    const auto committed = workspace().capture(a_capture(base));
    ASSERT_FALSE(committed) << text;
    EXPECT_EQ(committed.error().code, ErrorCode::conflict);
    EXPECT_EQ(repository.git("show " + std::string(k_salvage) + ":b.txt"), "b");
    EXPECT_EQ(repository.git("fsck --strict --no-dangling"), "") << text;
    fs::remove_all(session_repository());
    ASSERT_TRUE(workspace().remove_session(k_session));
  }
}

TEST_F(Attack, ReferencesThatMoveInTheSessionMoveNothingOfTheUsers) {
  const std::string base = start();
  write_file(worktree() / "b.txt", "b\n");
  agent_git("add -A");
  agent_git("commit -q -m mine");
  agent_git("update-ref refs/heads/main HEAD");
  agent_git("tag v1");
  agent_git("update-ref refs/bernstein/salvage/r1/t9.9 HEAD");
  go_through(base);
  EXPECT_NE(repository.try_git("rev-parse -q --verify refs/tags/v1").exit_code, 0);
  EXPECT_NE(repository.try_git("rev-parse -q --verify refs/bernstein/salvage/r1/t9.9").exit_code, 0);
}

TEST_F(Attack, AWorktreeThatIsALinkIsGone) {
  const std::string base = start();
  write_file(repository.outside() / "secret/key", "secret\n");
  fs::remove_all(worktree());
  fs::create_directory_symlink(repository.outside() / "secret", worktree());
  const auto captured = workspace().capture(a_capture(base));
  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().message,
            std::string("the worktree of ") + k_session + " is gone; nothing was left to keep");
  ASSERT_TRUE(workspace().remove_session(k_session));
  EXPECT_EQ(read_file(repository.outside() / "secret/key"), "secret\n");
}

TEST_F(Attack, LinksInATreeAreNotFollowedWhenItIsCheckedOut) {
  const std::string base = start();
  fs::create_directory_symlink(repository.outside(), worktree() / "out");
  const port::Captured captured = capture(base);
  ASSERT_TRUE(workspace().checkout_tree({.name = "check-r1-t1.1", .tree = captured.tree}));
  write_file(repository.root() / ".sdd/worktrees/check-r1-t1.1/out/precious", "precious\n");  // through the link
  ASSERT_TRUE(workspace().checkout_tree({.name = "check-r1-t1.1", .tree = captured.tree}));
  EXPECT_EQ(read_file(repository.outside() / "precious"), "precious\n") << "what is behind a link is not removed";
}

}  // namespace
}  // namespace bernstein::test
