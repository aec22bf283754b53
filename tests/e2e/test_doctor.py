"""doctor: a fact for each thing that a run needs, and the command that mends it."""

import os
import shutil
import unittest

from support import Disturbed, dedent

CLAUDE = """
case "$*" in
  --version) echo "2.1.330 (Claude Code)" ;;
  "auth status") exit 1 ;;
  --help) echo "-p, --print  --model <model>  --output-format <format>  --verbose" ;;
  *) exit 9 ;;
esac
"""


class Doctor(Disturbed):
    def setUp(self):
        super().setUp()
        # No agent of the machine is in this PATH.
        self.programs = self.directory / "programs"
        self.programs.mkdir()
        for name in ("git", "sh", "true", "false", "bwrap"):
            found = shutil.which(name)
            if found:
                os.symlink(found, self.programs / name)

    def doctor(self, repository, *words, expect=0, **options):
        result = self.bernstein(repository, "doctor", "--json", *words, environment={"PATH": str(self.programs)}, **options)
        self.assertEqual(expect, result.code, str(result))
        found = result.json()
        self.assertEqual({"ok", "checks"}, set(found))
        self.assertEqual(expect == 0, found["ok"])
        for check in found["checks"]:
            self.assertEqual(["id", "status", "fact", "fix"], list(check))
            self.assertIn(check["status"], ("ok", "warn", "fail"))
            self.assertTrue(check["fact"], check)
            self.assertEqual(check["status"] == "ok", check["fix"] is None, check)
        return found["checks"]

    def failed(self, checks):
        return [(check["id"], check["fact"], check["fix"]) for check in checks if check["status"] == "fail"]

    def one(self, checks, name):
        found = [check for check in checks if check["id"] == name]
        self.assertEqual(1, len(found), f"{name} in {checks}")
        return found[0]

    def test_a_healthy_repository_has_a_fact_for_everything_and_stays_as_it_is(self):
        repository = self.repository()
        self.config(repository, "quality_gates: {tests: 'true'}\n")
        before = repository.fingerprint()
        checks = self.doctor(repository)
        self.assertEqual(
            ["git", "repository", "supervisor", "libgit2", "sqlite", "database", "disk", "file_system", "limits.files",
             "limits.processes", "sandbox", "agent.tester", "agent.tester.login", "config", "gates", "clock"],
            [check["id"] for check in checks])  # fmt: skip
        self.assertEqual(f"{repository.root} on branch main", self.one(checks, "repository")["fact"])
        self.assertEqual("1 gate not run; --probe runs them", self.one(checks, "gates")["fact"])
        self.assertEqual(before, repository.fingerprint())

    def test_for_people_it_is_a_table_with_the_fix_below_the_fact(self):
        repository = self.repository()
        result = self.bernstein(repository, "doctor", environment={"PATH": str(self.programs)})
        self.assertEqual(6, result.code, str(result))
        self.assertRegex(result.out, r"^STATUS +CHECK +FACT\nok +git +git \d")
        self.assertRegex(result.out, r"\nfail +agents +no agent is installed\n +fix: npm install ")
        self.assertRegex(result.out, r"\n1 failure, \d warnings?\n$")
        self.assertNotIn("\x1b", result.out)
        self.assertEqual("", result.err)

    def test_without_any_agent_it_fails_with_what_to_install(self):
        [(name, fact, fix)] = self.failed(self.doctor(self.repository(), expect=6))
        self.assertEqual(("agents", "no agent is installed"), (name, fact))
        self.assertIn("npm install -g @anthropic-ai/claude-code", fix)

    def test_outside_of_a_repository_in_a_bare_one_and_before_the_first_commit(self):
        plain = self.directory / "plain"
        plain.mkdir()
        fails = self.failed(self.doctor(None, expect=6, directory=plain))
        self.assertEqual("repository", fails[0][0])
        self.assertEqual("run `git init`", fails[0][2])
        unborn = self.repository("unborn", commit=False)
        self.assertIn("git commit --allow-empty", self.failed(self.doctor(unborn, expect=6))[0][2])
        self.assertFalse(unborn.sdd.exists())

    def test_a_detached_head_is_a_warning(self):
        repository = self.repository()
        self.config(repository)
        repository.git("checkout", "-q", "--detach")
        self.assertEqual("warn", self.one(self.doctor(repository), "repository")["status"])

    def test_a_database_that_is_damaged_is_named(self):
        repository = self.place()
        self.run_plan(repository, self.plan("echo 1 > t1.txt"))
        self.assertRegex(self.one(self.doctor(repository), "database")["fact"], r"state\.db is whole: \d+ events")
        self.assertEqual("ok", self.one(self.doctor(repository), "workspace")["status"])
        log = repository.sdd / "state.db"
        for name in ("state.db-wal", "state.db-shm"):
            (repository.sdd / name).unlink(missing_ok=True)
        log.write_bytes(b"this was a database once " * 1000)
        [(name, fact, fix)] = self.failed(self.doctor(repository, expect=6))
        self.assertEqual("database", name)
        self.assertIn(str(log), fact)
        self.assertIn("backup", fix)

    def test_every_fault_of_bernstein_yaml_has_its_line(self):
        repository = self.repository()
        repository.write("bernstein.yaml", "max_agents: 2\nmax_agentz: 3\nquality_gates: [1]\n")
        fails = self.failed(self.doctor(repository, expect=6))
        self.assertEqual(["config", "config"], [name for name, _, _ in fails])
        self.assertTrue(fails[0][1].startswith("bernstein.yaml:2: "), fails)
        self.assertIn("did you mean 'max_agents'?", fails[0][2])
        self.assertTrue(fails[1][1].startswith("bernstein.yaml:3: "), fails)

    def test_an_agent_that_is_wanted_and_not_there_fails(self):
        repository = self.repository()
        repository.write("bernstein.yaml", "cli: codex\n")
        fails = self.failed(self.doctor(repository, expect=6))
        self.assertEqual(("agent.codex", "codex: the program 'codex' cannot be found in PATH"), fails[0][:2])
        self.assertEqual("npm install -g @openai/codex", fails[0][2])

    def test_probes_ask_the_client_and_run_the_gates(self):
        claude = self.programs / "claude"
        claude.write_text("#!/bin/sh\n" + dedent(CLAUDE))
        claude.chmod(0o755)
        repository = self.repository()
        repository.write("bernstein.yaml", "quality_gates: {good: 'true', bad: 'echo it is red; false'}\n")
        checks = self.doctor(repository)
        self.assertEqual((f"claude 2.1.330 ({claude})", "ok"),
                         (self.one(checks, "agent.claude")["fact"], self.one(checks, "agent.claude.login")["status"]))  # fmt: skip
        checks = self.doctor(repository, "--probe", expect=6)
        login = self.one(checks, "agent.claude.login")
        self.assertEqual(("warn", "claude: nobody is logged in: `claude auth status` exits with 1"),
                         (login["status"], login["fact"]))  # fmt: skip
        flags = self.one(checks, "agent.claude.flags")
        self.assertEqual(("warn", "`claude --help` does not have --dangerously-skip-permissions"),
                         (flags["status"], flags["fact"]))  # fmt: skip
        self.assertEqual("ok", self.one(checks, "gate.good")["status"])
        [(name, fact, fix)] = self.failed(checks)
        self.assertEqual("gate.bad", name)
        self.assertIn("bad is red on HEAD: exit 1", fact)
        self.assertTrue(fix.startswith("less "), fix)

    def test_a_run_that_was_interrupted_is_to_be_resumed(self):
        repository = self.place()
        process = self.at_work(repository, 1)
        work = self.one(self.doctor(repository), "workspace")
        self.assertEqual(("ok", f"r1 is at work, process {process.pid}"), (work["status"], work["fact"]))
        self.crash(process)
        work = self.one(self.doctor(repository), "workspace")
        self.assertEqual(("warn", "r1 was interrupted, and 1 agent or check goes on alone", "bernstein resume r1"),
                         (work["status"], work["fact"], work["fix"]))  # fmt: skip
        self.open("1")
        self.assertEqual(0, self.bernstein(repository, "resume").code)
        self.assertEqual("ok", self.one(self.doctor(repository), "workspace")["status"])

    def test_init_ends_with_what_is_wrong(self):
        result = self.bernstein(self.repository(), "init", environment={"PATH": str(self.programs)})
        self.assertEqual(0, result.code, str(result))
        self.assertIn("\n  fail   no agent is installed: npm install ", result.out)
        self.assertTrue(result.out.endswith("`bernstein doctor` tells all\n"), result.out)


if __name__ == "__main__":
    unittest.main()
