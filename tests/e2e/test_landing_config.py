"""Landing as bernstein.yaml says: what is left out, what is merged by line, squash, and verdicts of earlier runs."""

import shlex
import unittest

from support import EndToEnd, dedent

CI = "on: push\n"


def plan(*steps):
    """Tasks side by side: (files, script) each."""
    lines = ["stages:", "  - name: one", "    steps:"]
    for number, (files, script) in enumerate(steps, 1):
        lines += [f"      - title: Task {number}", f"        files: [{files}]", "        description: |",
                  *[f"          RUN: {line}" for line in script.splitlines()]]  # fmt: skip
    return "\n".join(lines) + "\n"


class Landing(EndToEnd):
    def place(self, more="", files=None):
        repository = self.repository()
        for path, text in (files or {}).items():
            repository.write(path, text)
        self.config(repository, "sandbox: off\n" + dedent(more))
        return repository

    def verdicts(self, repository, run="r1"):
        return {e["subject"]: e["payload"]["why"] for e in self.events(repository, "VerdictReached", run=run)}


class CheckFiles(Landing):
    MEDDLES = "echo work > a.txt\necho '[pytest]' > pytest.ini\necho 'on: never' > .github/workflows/ci.yml"

    def place(self, more=""):
        return super().place(more, {".github/workflows/ci.yml": CI, "tox.ini": "[tox]\n"})

    def test_what_defines_checks_stays_as_the_target_has_it(self):
        repository = self.place('quality_gates: {here: "test -f a.txt"}')
        self.run_plan(repository, plan(("a.txt", self.MEDDLES)))
        self.assertEqual("work\n", repository.show("a.txt"))
        self.assertEqual(CI, repository.show(".github/workflows/ci.yml"))
        self.assertIsNone(repository.show("pytest.ini"))
        built = self.events(repository, "CandidateBuilt")[0]["payload"]
        self.assertEqual([".github/workflows/ci.yml", "pytest.ini"], built["left_out"])
        why = self.bernstein(repository, "why", "t1")
        self.assertIn("left out, because they define checks: .github/workflows/ci.yml, pytest.ini", why.out)
        self.assert_sound(repository)

    def test_a_task_that_owns_them_changes_them(self):
        repository = self.place()
        self.run_plan(repository, plan(('a.txt, pytest.ini, ".github/"', self.MEDDLES)))
        self.assertEqual("on: never\n", repository.show(".github/workflows/ci.yml"))
        self.assertEqual("[pytest]\n", repository.show("pytest.ini"))
        self.assertEqual([], self.events(repository, "CandidateBuilt")[0]["payload"]["left_out"])

    def test_the_list_can_be_replaced_and_switched_off(self):
        repository = self.place("landing: {check_files: [tox.ini]}")
        self.run_plan(repository, plan(("a.txt", self.MEDDLES + "\necho more >> tox.ini")))
        self.assertEqual("on: never\n", repository.show(".github/workflows/ci.yml"))
        self.assertEqual("[tox]\n", repository.show("tox.ini"))
        repository.write("bernstein.yaml", repository.read("bernstein.yaml").replace("[tox.ini]", "[]"))
        repository.commit("off")
        self.run_plan(repository, plan(("b.txt", "echo b > b.txt\necho more >> tox.ini")))
        self.assertEqual("[tox]\nmore\n", repository.show("tox.ini"))


class HowItLands(Landing):
    def both_append(self, word):
        """Each waits until the other is at work, so that both start from the same commit."""
        at = shlex.quote(str(self.directory))
        return plan(*[(f"{name}.txt", dedent(
            f"""
            touch {at}/{word}.{name}
            while [ ! -e {at}/{word}.{other} ]; do sleep 0.02; done
            echo {name} > {name}.txt
            echo "* {name}" >> CHANGELOG.md
            """)) for name, other in (("left", "right"), ("right", "left"))])  # fmt: skip

    def test_two_tasks_append_to_the_change_log(self):
        repository = self.place(files={"CHANGELOG.md": "# Changes\n\n"})
        self.run_plan(repository, self.both_append("first"), "--max-agents", "2")
        self.assertEqual(["# Changes", "", "* left", "* right"], self.in_order(repository))
        self.assertEqual({"t1": 1, "t2": 1}, {task: row["attempts"] for task, row in self.tasks(repository).items()})
        self.assertEqual([["CHANGELOG.md"]],
                         [e["payload"]["unioned"] for e in self.events(repository, "CandidateBuilt")
                          if e["payload"]["unioned"]])  # fmt: skip
        self.assert_sound(repository)

    def in_order(self, repository):
        lines = repository.show("CHANGELOG.md").splitlines()
        return lines[:2] + sorted(lines[2:])

    def test_squash_lands_commits_with_one_parent(self):
        repository = self.place("landing: {method: squash}")
        before = repository.tip()
        self.run_plan(repository, plan(("a.txt", "echo a > a.txt\ngit add -A && git commit -qm own"),
                                       ("b.txt", "echo b > b.txt")))  # fmt: skip
        commits = repository.git("rev-list", "--parents", f"{before}..main").splitlines()
        self.assertEqual(2, len(commits))
        self.assertEqual({2}, {len(line.split()) for line in commits}, "the commit and one parent")
        self.assertEqual("r1", self.trailers(repository, "main")["Bernstein-Run"])
        self.assertEqual(("a\n", "b\n"), (repository.show("a.txt"), repository.show("b.txt")))
        self.assert_sound(repository)

    def test_nothing_lands_before_a_person_has_looked(self):
        repository = self.place('max_checks: 2\nquality_gates: {here: "true # "}')
        before = repository.tip()
        self.run_plan(repository, plan(("a.txt", "echo a > a.txt")), "--approve", "merge", expect=5)
        self.assertEqual(before, repository.tip("main"))
        self.assertEqual(["approval"], [e["payload"]["reason"] for e in self.events(repository, "LandingHeld")])
        self.assertEqual(5, self.bernstein(repository, "resume").code)
        self.assertEqual(before, repository.tip("main"))
        begun = self.events(repository, "RunStarted", "RunResumed")
        self.assertEqual(["RunStarted", "RunResumed"], [event["type"] for event in begun])
        self.assertEqual(1, len({event["payload"]["environment"] for event in begun}), "the same, and told by both")


    def test_what_a_batch_vouches_for_waits_verified_for_its_person(self):
        repository = self.place('landing: {max_checks: 3, skip_intermediate: true}\nquality_gates: {here: "sleep 0.1"}')
        steps = [(f"{n}.txt", f"echo {n} > {n}.txt") for n in range(5)]
        self.run_plan(repository, plan(*steps), "--approve", "merge", "--max-agents", "5", expect=5)
        self.assertEqual({"verified"}, {row["status"] for row in self.tasks(repository).values()})
        told = self.bernstein(repository, "status", "--json").json()["tasks"]
        self.assertEqual({"verified"}, {task["status"] for task in told})


class EarlierVerdicts(Landing):
    """A check that counts its runs in a file outside of the repository."""

    def setUp(self):
        super().setUp()
        self.counter = self.directory / "runs of the check"
        self.repo = self.place("quality_gates: {count: %s}\nworktree_setup: {copy_files: [.env]}\n" % self.check())
        self.repo.write(".gitignore", ".env\n")
        self.repo.write(".env", "A=1\n")
        self.base = self.repo.commit("ignored")

    def check(self):
        return '"echo ran >> %s"' % shlex.quote(str(self.counter))

    def run_again(self, number, **options):
        """The same work on the same base: the same tree. How often the check has run in all."""
        self.repo.git("reset", "-q", "--hard", self.base)
        self.run_plan(self.repo, plan(("a.txt", "echo a > a.txt")), **options)
        self.assertEqual("a\n", self.repo.show("a.txt"))
        self.assertEqual(1, len(self.events(self.repo, "VerdictReached", run=f"r{number}")))
        return len(self.counter.read_text().splitlines())

    def test_are_used_again_where_nothing_else_differs(self):
        self.assertEqual(1, self.run_again(1))
        self.assertEqual(1, self.run_again(2))
        reused = self.events(self.repo, "CheckReused", run="r2")
        self.assertEqual(["count"], [e["payload"]["name"] for e in reused])
        trees = [self.events(self.repo, "CandidateBuilt", run=run)[0]["payload"]["tree"] for run in ("r1", "r2")]
        self.assertEqual(trees[0], trees[1])
        environments = {self.events(self.repo, "RunStarted", run=run)[0]["payload"]["environment"] for run in ("r1", "r2")}
        self.assertEqual(1, len(environments))
        self.assertRegex(environments.pop(), "^[0-9a-f]{64}$")

        self.assertEqual(2, self.run_again(3, environment={"LC_TIME": "C"}), "another variable")
        self.assertEqual(2, self.run_again(4, environment={"BERNSTEIN_NOISE": "1"}), "one that no check gets")
        self.repo.write(".env", "A=2\n")
        self.assertEqual(3, self.run_again(5), "another file that is copied")
        self.assertEqual(3, self.run_again(6))
        self.assert_sound(self.repo, run="r6")

    def test_what_failed_is_checked_again(self):
        broken = self.directory / "broken"
        broken.touch()
        counts = f"echo ran >> {shlex.quote(str(self.counter))}"
        text = self.repo.read("bernstein.yaml").replace(counts, f"{counts}; test ! -e {shlex.quote(str(broken))}")
        self.repo.write("bernstein.yaml", text + "limits: {attempts: 1}\n")
        self.base = self.repo.commit("may fail")
        file = self.directory / "red.yaml"
        file.write_text(plan(("a.txt", "echo a > a.txt")))
        self.assertNotEqual(0, self.bernstein(self.repo, "run", str(file)).code)
        ran = len(self.counter.read_text().splitlines())
        broken.unlink()
        self.assertGreater(self.run_again(2), ran)


class FlakyChecks(Landing):
    def test_are_run_once_more_and_known_to_later_runs(self):
        was = shlex.quote(str(self.directory / "was here"))
        repository = self.place('quality_gates: {shaky: {command: "test -e %s || { touch %s; false; }", flaky: true}}' % (was, was))
        self.run_plan(repository, plan(("a.txt", "echo a > a.txt")))
        self.assertEqual(["failed", "passed"], [e["payload"]["verdict"] for e in self.events(repository, "CheckFinished")])
        self.assertEqual(["shaky"], [e["payload"]["name"] for e in self.events(repository, "CheckFlaked")])
        self.run_plan(repository, plan(("b.txt", "echo b > b.txt")))
        told = [self.events(repository, "RunStarted", run=run)[0]["payload"]["flaky"] for run in ("r1", "r2")]
        self.assertEqual([[], ["shaky"]], told)
        self.assert_sound(repository, run="r2")


class WeakenedTests(Landing):
    TESTS = "def test_a():\n    assert True\n\n\ndef test_b():\n    assert True\n"

    def test_are_named_by_the_verdict_and_the_recap(self):
        repository = self.place('quality_gates: {readme: "test -f README.md"}',
                                {"tests/test_a.py": self.TESTS, "tests/test_b.py": self.TESTS})  # fmt: skip
        script = "rm tests/test_a.py\nsed -i 's/^def/@pytest.mark.skip\\ndef/' tests/test_b.py\necho a > a.txt"
        result = self.run_plan(repository, plan(("a.txt", script), ("b.txt", "echo b > b.txt")))
        said = "deletes tests/test_a.py, skips 2 tests in tests/test_b.py (@pytest.mark.skip)"
        verdicts = self.verdicts(repository)
        self.assertEqual(f"its 1 check passed on this tree; it {said}", verdicts["t1.1"])
        self.assertEqual("its 1 check passed on this tree", verdicts["t2.1"])
        self.assertIn("fewer tests  t1.1 deletes tests/test_a.py, and 1 more; bernstein why r1/t1", result.out)
        self.assertIn("fewer tests: 1 task took some away; bernstein why t1   tells",
                      self.bernstein(repository, "status").out)  # fmt: skip
        why = self.bernstein(repository, "why", "t1").out
        self.assertIn("it skips 2 tests in tests/test_b.py (@pytest.mark.skip)", why)

    def test_are_named_where_no_check_looked(self):
        repository = self.place("", {"tests/test_a.py": self.TESTS})
        self.run_plan(repository, plan(("a.txt", "rm tests/test_a.py\necho a > a.txt")))
        self.assertEqual("there is no check for this task; it changes 2 paths; it deletes tests/test_a.py",
                         self.verdicts(repository)["t1.1"])  # fmt: skip


if __name__ == "__main__":
    unittest.main()
