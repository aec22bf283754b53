"""Defects of the Python Bernstein, which must not come back: each test is named after one and fails if it were there."""

import unittest

from support import EndToEnd, dedent

ONE = """
stages:
  - name: one
    steps:
      - {title: "One", files: [one.txt], description: "RUN: echo one > one.txt"}
"""


class KnownDefects(EndToEnd):
    def place(self, more=""):
        repository = self.repository()
        self.config(repository, "sandbox: off\nlimits: {attempts: 1}\n" + dedent(more))
        return repository

    def remote(self, repository):
        """An `origin` that the person pushes to by default, and that writes down whatever reaches it."""
        arrived = self.directory / "arrived"
        origin = self.directory / "origin.git"
        repository.git("init", "-q", "--bare", str(origin))
        repository.git("remote", "add", "origin", str(origin))
        repository.git("push", "-q", "-u", "origin", "main")
        repository.git("config", "push.default", "current")
        for hook in ("pre-receive", "update", "post-receive"):
            file = origin / "hooks" / hook
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"#!/bin/sh\necho {hook} >> '{arrived}'\n")
            file.chmod(0o755)
        return origin, arrived

    # A task whose checks had failed was merged all the same.
    def test_failed_verification_does_not_merge(self):
        repository = self.place("quality_gates: {sound: 'test ! -e broken.txt'}")
        base = repository.tip()
        plan = """
        stages:
          - name: one
            steps:
              - {title: "Gate", files: [broken.txt], description: "RUN: echo x > broken.txt"}
              - title: "Signal"
                files: [half.txt]
                description: "RUN: echo half > half.txt"
                completion_signals: [{type: file_contains, path: half.txt, contains: whole}]
              - title: "Command"
                files: [tool.sh]
                description: "RUN: echo 'exit 3' > tool.sh"
                completion_signals: [{type: test_passes, command: sh tool.sh}]
        """
        self.run_plan(repository, plan, "--max-agents", "3", expect=1)
        self.assertEqual({"failed"}, {row["status"] for row in self.tasks(repository).values()})
        self.assertEqual(base, repository.tip("main"), "nothing of them is on main, not even for a moment:")
        self.assertEqual([], self.events(repository, "MergeRequested", "MergeLanded"))
        self.assertEqual(2, len(repository.git("reflog", "show", "main").splitlines()))
        self.assertEqual([], repository.status())

    # "done" was enough for dependents to start: before the merge, on a base without the work.
    def test_dependents_do_not_start_on_done(self):
        repository = self.place("quality_gates: {slow: 'test -e need.txt'}")
        plan = """
        stages:
          - name: one
            steps:
              - {title: "Needed", files: [need.txt], description: "RUN: echo needed > need.txt"}
          - name: two
            depends_on: [one]
            steps:
              - {title: "Dependent", files: [uses.txt], description: "RUN: cat need.txt > uses.txt"}
        """
        self.run_plan(repository, plan, "--max-agents", "2")
        events = self.events(repository)
        order = {(e["type"], e["subject"]): e["seq"] for e in events}
        landed = order["MergeLanded", "t1.1"]
        self.assertLess(order["AgentExited", "t1.1"], landed)
        for step in ("WorktreeRequested", "SpawnRequested", "AgentStarted"):
            self.assertLess(landed, order[step, "t2.1"])
        base = next(e["payload"]["base"] for e in events if (e["type"], e["subject"]) == ("WorktreeRequested", "t2.1"))
        merge = next(e["payload"]["commit"] for e in events if (e["type"], e["subject"]) == ("MergeLanded", "t1.1"))
        repository.git("merge-base", "--is-ancestor", merge, base)
        self.assertEqual("needed\n", repository.show("uses.txt"))

    def test_dependents_do_not_start_on_done_that_is_not_verified(self):
        repository = self.place("quality_gates: {never: 'test ! -e need.txt'}")
        started = self.directory / "dependent started"
        plan = f"""
        stages:
          - name: one
            steps:
              - {{title: "Says done", files: [need.txt], description: "RUN: echo needed > need.txt"}}
          - name: two
            depends_on: [one]
            steps:
              - {{title: "Dependent", files: [uses.txt], description: "RUN: touch '{started}'; echo x > uses.txt"}}
        """
        self.run_plan(repository, plan, "--max-agents", "2", expect=1)
        self.assertEqual((0, "done"), tuple(self.events(repository, "AgentExited")[0]["payload"][k] for k in ("exit_code", "outcome")))
        self.assertEqual({"t1": "failed", "t2": "blocked"}, {t: row["status"] for t, row in self.tasks(repository).items()})
        self.assertFalse(started.exists())

    # Signals were looked for in the person's checkout, where the agent's files are not and others may lie around.
    def test_signals_are_not_checked_in_the_wrong_tree(self):
        repository = self.place()
        repository.write(".git/info/exclude", "leftover.txt\n")
        repository.write("leftover.txt", "lies in the checkout alone\n")
        where = self.directory / "where"
        plan = f"""
        stages:
          - name: one
            steps:
              - title: "New file"
                files: [new.txt]
                description: "RUN: echo fresh > new.txt"
                completion_signals:
                  - {{type: path_exists, path: new.txt}}
                  - {{type: file_contains, path: new.txt, contains: fresh}}
                  - {{type: test_passes, command: "pwd > '{where}'; grep -q fresh new.txt && test ! -e leftover.txt"}}
              - title: "Only in the checkout"
                files: [other.txt]
                description: "RUN: echo other > other.txt"
                completion_signals: [{{type: path_exists, path: leftover.txt}}]
        """
        self.run_plan(repository, plan, expect=1)
        self.assertEqual({"t1": "landed", "t2": "failed"}, {t: row["status"] for t, row in self.tasks(repository).items()})
        self.assertEqual(str(repository.sdd / "worktrees/check-r1-t1.1"), where.read_text().strip())
        # The tree that was checked is the tree that landed.
        built = next(e["payload"]["tree"] for e in self.events(repository, "CandidateBuilt") if e["subject"] == "t1.1")
        self.assertEqual(built, repository.git("rev-parse", "main^{tree}"))

    # After a merge that failed, worktree and branch were deleted: the only copy of the work.
    def test_a_failed_merge_does_not_delete_the_only_copy(self):
        repository = self.place()
        root = repository.root
        repository.git("config", "user.name", "Ann Example")
        repository.git("config", "user.email", "ann@example.org")
        # While the agent works, a person commits to the same line.
        strike = f"cd '{root}'; echo theirs > clash.txt; git add clash.txt; git commit -q -m theirs"
        plan = f"""
        stages:
          - name: one
            steps:
              - title: "Clash"
                files: [clash.txt, own.txt]
                description: |
                  RUN: echo mine > clash.txt; echo precious > own.txt; git add -A; git commit -q -m 'my only copy'
                  RUN: echo unsaved >> own.txt
                  RUN: ( {strike} )
        """
        self.run_plan(repository, plan, expect=1)
        conflict = self.events(repository, "CandidateConflicted")[0]["payload"]
        self.assertEqual(["clash.txt"], [path["path"] for path in conflict["paths"]])
        self.assertEqual("theirs\n", repository.show("clash.txt", "main"))
        salvage = "refs/bernstein/salvage/r1/t1.1"
        repository.git("gc", "-q", "--prune=now")
        self.bernstein(repository, "clean")
        self.assertEqual("mine\n", repository.show("clash.txt", salvage))
        self.assertEqual("precious\nunsaved\n", repository.show("own.txt", salvage))
        self.assertIn("my only copy", repository.git("log", "--format=%s", salvage))

    # A run took over any branch that was ahead of main: of earlier runs, of nobody.
    def test_another_runs_branch_is_not_imported(self):
        repository = self.place()
        main = repository.tip()
        foreign = {}
        for name in ("agent/session-r1-t1.1", "agent/session-r9-t1.1", "agent/backend-0a1b2c3d", "bernstein/run-7", "salvage/r9-t1"):
            repository.git("checkout", "-q", "-b", name, main)
            repository.write("foreign.txt", f"{name}\n")
            foreign[name] = repository.commit("somebody else's")
        repository.git("checkout", "-q", "main")
        repository.git("update-ref", "refs/bernstein/salvage/r9/t1.1", foreign["agent/session-r9-t1.1"])
        repository.git("update-ref", "refs/graveyard/backend-1", foreign["bernstein/run-7"])
        # Worktrees of the Python tool, where it leaves them and where ours are, one under the very name that is next.
        (repository.sdd / "worktrees").mkdir(parents=True)
        (repository.sdd / ".gitignore").write_text("*\n")
        left = repository.sdd / "worktrees" / "backend-0a1b2c3d"
        repository.git("worktree", "add", "-q", str(left), "agent/backend-0a1b2c3d")
        (left / "uncommitted.txt").write_text("theirs\n")
        (repository.sdd / "worktrees" / "session-r9-t1.1").mkdir()
        (repository.sdd / "worktrees" / "session-r9-t1.1" / "foreign.txt").write_text("x\n")

        self.run_plan(repository, ONE)

        self.assertEqual([".gitignore", "README.md", "bernstein.yaml", "one.txt"], repository.git("ls-tree", "-r", "--name-only", "main").splitlines())
        for name, commit in foreign.items():
            self.assertEqual(commit, repository.tip(f"refs/heads/{name}"), "and is left where it was")
            self.assertNotIn(commit, repository.git("rev-list", "main").split())
        self.assertEqual("theirs\n", (left / "uncommitted.txt").read_text())

    # It pushed whenever there was a remote, and salvage with it.
    def test_work_is_not_pushed_unasked(self):
        repository = self.place("quality_gates: {sound: 'test ! -e broken.txt'}")
        origin, arrived = self.remote(repository)
        before = repository.git("ls-remote", "origin")
        plan = """
        stages:
          - name: one
            steps:
              - {title: "Lands", files: [one.txt], description: "RUN: echo one > one.txt"}
              - {title: "Fails", files: [broken.txt], description: "RUN: echo x > broken.txt"}
        """
        self.run_plan(repository, plan, expect=1)
        self.bernstein(repository, "resume", "r1")
        self.bernstein(repository, "clean")
        self.assertEqual("one\n", repository.show("one.txt", "main"))
        self.assertIsNotNone(repository.show("broken.txt", "refs/bernstein/salvage/r1/t2.1"))
        self.assertEqual(before, repository.git("ls-remote", "origin"))
        self.assertFalse(arrived.exists(), "something was sent")
        self.assertNotEqual(repository.tip("main"), repository.tip("refs/remotes/origin/main"))

        repository.git("push", "-q", "origin", "main")  # the hooks do watch
        self.assertTrue(arrived.exists())

    # The merge was made in whatever branch was checked out, in the person's own checkout.
    def test_a_merge_does_not_touch_the_branch_that_happens_to_be_checked_out(self):
        repository = self.place()
        plan = """
        stages:
          - name: one
            steps:
              - title: "One"
                files: [one.txt]
                description: |
                  RUN: echo one > one.txt
                  RUN: cd "ROOT"; git checkout -q -b elsewhere; echo mine > draft.txt
        """.replace("ROOT", str(repository.root))  # fmt: skip
        base = repository.tip()
        self.run_plan(repository, plan)
        self.assertEqual("one\n", repository.show("one.txt", "main"))
        self.assertEqual(base, repository.tip("elsewhere"))
        self.assertEqual("refs/heads/elsewhere", repository.git("symbolic-ref", "HEAD"))
        self.assertEqual(["?? draft.txt"], repository.status())
        self.assertFalse((repository.root / "one.txt").exists())


if __name__ == "__main__":
    unittest.main()
