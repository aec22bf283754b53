"""What is refused, with which words and exit code; and that nothing is changed then."""

import os
import re
import subprocess
import unittest

from support import BERNSTEIN, EndToEnd, Repository, dedent
from test_run import ONE


def plan_with(step="", stage="", more=""):
    return f"""
stages:
  - name: one
    {stage}
    steps:
      - {{title: "A", id: a, files: [a.txt], description: "d"}}
      - {{title: "B", id: b, description: "d"{step}}}
{more}
"""


class BadPlans(EndToEnd):
    """Every fault of a plan is refused with file:line before anything starts."""

    def setUp(self):
        super().setUp()
        self.project = self.repository()
        self.config(self.project)

    def fault(self, plan, text, line=None):
        err = self.refused(self.project, plan, text=text)
        where = rf"plan\.yaml:{line if line else '[0-9]+'}: "
        self.assertRegex(err, where, err)
        return err

    def test_an_unknown_stage_with_what_was_probably_meant(self):
        err = self.fault("stages:\n  - {name: backend, steps: [{title: A, description: d}]}\n"
                         "  - {name: docs, depends_on: [backnd], steps: [{title: B, description: d}]}\n", "backnd", 3)  # fmt: skip
        self.assertIn("did you mean 'backend'?", err)

    def test_an_unknown_step(self):
        self.fault(plan_with(", depends_on: [c]"), "'c'", 6)

    def test_a_cycle_of_steps_is_printed(self):
        err = self.fault(
            "stages:\n  - name: one\n    steps:\n"
            "      - {title: A, id: aa, depends_on: [bb], description: d}\n"
            "      - {title: B, id: bb, depends_on: [cc], description: d}\n"
            "      - {title: C, id: cc, depends_on: [aa], description: d}\n",
            "these wait for each other: ",
        )
        self.assertIn("aa -> bb -> cc -> aa", err)

    def test_a_cycle_of_stages_is_printed(self):
        err = self.fault(
            "stages:\n  - {name: one, depends_on: [two], steps: [{title: A, description: d}]}\n"
            "  - {name: two, depends_on: [one], steps: [{title: B, description: d}]}\n",
            "one -> two -> one",
        )
        self.assertTrue("one" in err and "two" in err, err)

    def test_a_duplicate_id(self):
        self.fault(
            "stages:\n  - name: one\n    steps:\n"
            "      - {title: A, id: same, description: d}\n      - {title: B, id: same, description: d}\n",
            "same", 5)  # fmt: skip

    def test_a_wrong_type(self):
        self.fault(plan_with(", priority: [1]"), "priority", 6)

    def test_paths_that_are_absolute_leave_the_tree_or_enter_git(self):
        for path in ("/etc/passwd", "../outside", "a/../../b", ".git/hooks/pre-commit", "~/x"):
            with self.subTest(path):
                self.fault(plan_with(f", files: ['{path}']"), path, 6)

    def test_empty_stages(self):
        self.fault("stages: []\n", "stages")
        self.fault("stages:\n  - {name: one, steps: []}\n", "one")

    def test_text_that_is_no_yaml(self):
        self.fault("stages:\n  - name: [one\n", "", None)

    def test_a_document_over_ten_megabytes(self):
        err = self.refused(self.project, "# " + "x" * (10 << 20) + "\n" + ONE, text="plan.yaml")
        self.assertIn("10 MB", err)

    def test_a_typing_error_in_a_key(self):
        err = self.fault(plan_with(", desciption: x"), "desciption", 6)
        self.assertIn("did you mean 'description'?", err)

    def test_all_faults_of_both_files_at_once(self):
        self.project.write("bernstein.yaml", "max_agents: many\nbudgit: 3\n")
        self.project.commit("broken settings")
        err = self.refused(
            self.project,
            "stages:\n  - name: one\n    depends_on: [nowhere]\n    steps:\n"
            "      - {title: A, files: [/abs], description: d}\n"
            "      - {title: B, priority: urgent, description: d}\n",
        )
        for text in ("bernstein.yaml:1: ", "bernstein.yaml:2: ", "plan.yaml:3: ", "plan.yaml:5: ", "plan.yaml:6: "):
            self.assertIn(text, err)

    def test_a_plan_that_is_not_there(self):
        result = self.bernstein(self.project, "run", "nowhere.yaml")
        self.assertEqual(2, result.code)
        self.assertIn("nowhere.yaml", result.err)
        self.assertFalse(self.project.sdd.exists())


class BadSettings(EndToEnd):
    def test_pins_and_flags_name_agents_that_there_are(self):
        repository = self.repository()
        self.config(repository)
        near = "; did you mean 'tester'?"
        err = self.refused(repository, plan_with(", cli: testr"), text="step 'B' names the unknown agent 'testr'" + near)
        self.assertRegex(err, r"plan\.yaml:\d+: step 'B'")
        self.refused(repository, ONE, "--agent", "testre", text="--agent names agent 'testre', which is not configured" + near)
        self.refused(repository, "cli: tster\n" + ONE, text="plan.yaml:1: the plan names the unknown agent 'tster'" + near)

    def test_settings_of_roles_and_routing_name_agents_that_there_are(self):
        repository = self.repository()
        self.config(repository, "role_model_policy: {backend: {cli: testor}}")
        self.refused(repository, ONE, text="role 'backend' names agent 'testor', which is not configured; did you mean 'tester'?")
        self.config(repository, "routing: {arms: [tester/cheep]}")
        self.assertRegex(self.refused(repository, ONE, text="did you mean 'cheap'?"), r"bernstein\.yaml:\d+: ")

    def test_no_agent_at_all(self):
        repository = self.repository()
        err = self.refused(repository, ONE, code=6)
        self.assertEqual(
            "bernstein: no agent is installed or configured; `bernstein agents` says how to install one, bernstein.yaml "
            "may name others under agents: (see docs/config.md), and `bernstein demo` needs none\n",
            err,
        )

    def test_an_agent_whose_program_is_not_there_is_named(self):
        repository = self.repository()
        repository.write("bernstein.yaml", "agents: {ghost: {command: [ghost-of-a-program]}}\n")
        repository.commit("settings")
        self.refused(repository, ONE, code=6, text="agent 'ghost': the program 'ghost-of-a-program' cannot be found in PATH")

    def test_a_budget_that_is_no_amount(self):
        repository = self.repository()
        self.config(repository)
        self.refused(repository, ONE, "--budget", "lots", text="--budget: 'lots' is not an amount of US dollars")

    def test_what_is_not_built_yet_says_so(self):
        repository = self.repository()
        self.config(repository)
        for words in (["serve"], ["live"]):
            with self.subTest(words):
                result = self.bernstein(repository, *words)
                self.assertEqual(2, result.code)
                self.assertIn("is not built yet", result.err)
                self.assertEqual(1, result.err.count("\n"), result.err)


class BadPlaces(EndToEnd):
    def plan_file(self):
        file = self.directory / "plan.yaml"
        file.write_text(ONE.lstrip(), encoding="utf-8")
        return str(file)

    def test_no_git_repository(self):
        place = self.directory / "plain"
        place.mkdir()
        result = self.bernstein(None, "run", self.plan_file(), directory=place)
        self.assertEqual(6, result.code, str(result))
        self.assertIn("not", result.err)
        self.assertIn("git repository", result.err)
        self.assertEqual([], list(place.iterdir()))

    def test_a_bare_repository(self):
        repository = Repository.create(self.directory / "bare.git", self.environment, bare=True)
        before = repository.fingerprint()
        result = self.bernstein(repository, "run", self.plan_file())
        self.assertEqual(6, result.code, str(result))
        self.assertIn("bare", result.err)
        self.assertEqual(before, repository.fingerprint())

    def test_a_repository_without_a_commit(self):
        repository = self.repository(commit=False)
        before = repository.fingerprint()
        result = self.bernstein(repository, "run", self.plan_file(), "--agent", "scripted")
        self.assertIn(result.code, (2, 6), str(result))
        self.assertIn("commit something first", result.err)
        self.assertEqual(before, repository.fingerprint())

    def test_a_detached_head_needs_a_target(self):
        repository = self.repository()
        self.config(repository)
        repository.git("checkout", "-q", "--detach")
        err = self.refused(repository, ONE)
        self.assertIn("detached", err)
        self.assertIn("--target", err)

    def test_a_target_that_is_not_there(self):
        repository = self.repository()
        self.config(repository)
        self.refused(repository, ONE, "--target", "mian", text="mian")

    def test_a_second_orchestrator_is_told_the_pid_of_the_first(self):
        repository = self.repository()
        self.config(repository)
        gate = self.directory / "go"
        plan = self.directory / "slow.yaml"
        plan.write_text(dedent(f"""
            stages:
              - name: one
                steps:
                  - title: "Slow"
                    files: [a.txt]
                    description: |
                      RUN: while [ ! -e '{gate}' ]; do sleep 0.02; done; echo a > a.txt
            """), encoding="utf-8")  # fmt: skip
        first = self.start(repository, "run", str(plan))
        self.wait_until(lambda: (self.directory / "script.t1.1").exists(), "the agent is at work")
        self.wait_until(lambda: self.events(repository, "AgentStarted"), "that is recorded")
        events = len(self.events(repository))
        second = self.bernstein(repository, "run", self.plan_file())
        self.assertEqual(75, second.code, str(second))
        self.assertIn(str(first.pid), second.err)
        self.assertEqual(events, len(self.events(repository)))
        gate.write_text("")
        self.assertEqual(0, self.finish(first).code)


class CommandLine(EndToEnd):
    def words(self, *words):
        return self.bernstein(None, *words, directory=self.directory)

    def test_version_and_help(self):
        self.assertRegex(self.words("--version").out, r"^bernstein \d+\.\d+\.\d+\n$")
        self.assertEqual(0, self.words("--help").code)
        for command in ("run", "init", "demo", "status", "events", "cost", "why", "diff", "logs", "replay", "audit", "sql", "clean"):
            with self.subTest(command):
                result = self.words(command, "--help")
                self.assertEqual((0, ""), (result.code, result.err))
                self.assertIn(f"Example:\n  bernstein {command}", result.out)

    def test_unknown_words_get_what_was_probably_meant(self):
        for words, message in [
            (["statsu"], "bernstein: unknown command 'statsu'; did you mean 'status'?\n"),
            (["run", "p.yaml", "--dry-rnu"], "bernstein: unknown option '--dry-rnu'; did you mean '--dry-run'?\n"),
            (["--jsno", "status"], "bernstein: unknown option '--jsno'; did you mean '--json'?\n"),
            (["xyzzy"], "bernstein: unknown command 'xyzzy'; see `bernstein --help`\n"),
            (["replay", "--xyzzy"], "bernstein: unknown option '--xyzzy'; see `bernstein replay --help`\n"),
            (["run"], "bernstein: run needs a plan or a goal; example: bernstein run plan.yaml\n"),
            (["-C", "nowhere", "status"], "bernstein: -C: there is no directory 'nowhere'\n"),
        ]:
            with self.subTest(words):
                result = self.words(*words)
                self.assertEqual((2, "", message), (result.code, result.out, result.err))

    def test_numbers_out_of_range(self):
        for words in (["--max-agents", "0"], ["--max-agents", "-3"], ["--max-agents", "four"], ["--seed", "9007199254740992"]):
            with self.subTest(words):
                result = self.words("run", "p.yaml", *words)
                self.assertEqual(2, result.code, str(result))
                self.assertIn(words[0], result.err)

    def test_no_words_at_all_show_the_help(self):
        result = self.words()
        self.assertEqual((2, ""), (result.code, result.out))
        self.assertIn("Exit codes:", result.err)


if __name__ == "__main__":
    unittest.main()
