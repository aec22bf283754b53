"""demo and init: what a person tries first."""

import pathlib
import time
import unittest

from support import EndToEnd


class Demo(EndToEnd):
    def test_the_demo_runs_the_whole_pipeline_verifies_itself_and_leaves_nothing(self):
        begin = time.monotonic()
        result = self.bernstein(None, "demo", directory=self.directory)
        self.assertLess(time.monotonic() - begin, 30, "about ten seconds on an idle machine")
        self.assertEqual(0, result.code, str(result))
        self.assertIn("6 of 6 tasks landed", result.out)
        self.assertIn("7 attempts", result.out)
        self.assertIn("[t5] attempt 1 failed: check ", result.out)
        self.assertIn(", 0 divergences", result.out)
        self.assertIn("audit: hashes, chain and anchors hold", result.out)
        self.assertEqual(["home"], sorted(entry.name for entry in self.directory.iterdir()))
        self.assertEqual([], self.processes_in(self.directory))

    def test_a_kept_demo_can_be_looked_at(self):
        result = self.bernstein(None, "demo", "--keep", "--json", directory=self.directory)
        self.assertEqual(0, result.code, str(result))
        demo = result.json()
        self.assertEqual((True, "landed", 0, True), (demo["ok"], demo["run"]["outcome"], demo["divergences"], demo["audit_ok"]))
        self.assertGreater(demo["run"]["cost_usd"], 0)
        place = pathlib.Path(demo["directory"])
        self.assertTrue((place / "docs" / "library.md").is_file())
        self.assertEqual(0, self.bernstein(None, "why", "t5", directory=place).code)
        self.assertEqual(0, self.bernstein(None, "replay", "--json", directory=place).code)


class Init(EndToEnd):
    def test_gates_are_tried_on_head_and_red_ones_are_commented_out(self):
        repository = self.repository(commit=False)
        repository.write("Makefile", "all:\n\ttrue\n\ntest:\n\t@echo one test is red; false\n")
        head = repository.commit("make")
        repository.write("Makefile", "all:\n\tfalse\n")  # not committed: not what is tried

        result = self.bernstein(repository, "init")

        self.assertEqual(0, result.code, str(result))
        self.assertIn("found make", result.out)
        self.assertIn("green  build: make", result.out)
        self.assertIn("red    tests: make test", result.out)
        config = repository.read("bernstein.yaml")
        self.assertIn('quality_gates:\n  build: "make"', config)
        self.assertIn('\n#  tests: "make test"   # red on HEAD: exit 2', config)
        self.assertIn("one test is red", next((repository.sdd / "logs" / "init").glob("tests*")).read_text())
        self.assertEqual("*\n", (repository.sdd / ".gitignore").read_text())
        self.assertEqual(head, repository.tip())
        self.assertEqual([], self.worktrees(repository))

        # What it wrote is a configuration: a dry run takes it.
        repository.write("plan.yaml", "stages: [{name: one, steps: [{title: A, description: d}]}]\n")
        result = self.bernstein(repository, "run", "plan.yaml", "--agent", "scripted", "--dry-run", "--json")
        self.assertEqual(0, result.code, str(result))

    def worktrees(self, repository):
        path = repository.sdd / "worktrees"
        return sorted(entry.name for entry in path.iterdir()) if path.exists() else []

    def test_a_configuration_that_is_there_stays(self):
        repository = self.repository()
        repository.write("bernstein.yaml", "max_agents: 2\n")
        result = self.bernstein(repository, "init")
        self.assertEqual(0, result.code, str(result))
        self.assertIn("bernstein.yaml is there already and stays as it is", result.out)
        self.assertEqual("max_agents: 2\n", repository.read("bernstein.yaml"))

    def test_languages_are_found_by_their_files(self):
        for files, gates in [
            ({"CMakeLists.txt": "project(x)\nenable_testing()\n"}, ["build", "tests"]),
            ({"pyproject.toml": "[tool.pytest]\n", "a.py": ""}, ["tests"]),
            ({"package.json": '{"scripts": {"test": "node t.js", "build": "tsc"}}'}, ["build", "tests"]),
            ({"go.mod": "module x\n", "Makefile": "all:\n"}, ["build", "tests"]),
            ({"Cargo.toml": "[package]\n", "setup.py": "\n"}, ["build", "tests", "compiles-python"]),
            ({"notes.txt": "\n"}, []),
        ]:
            with self.subTest(sorted(files)):
                repository = self.repository("project " + "-".join(sorted(files)), commit=False)
                for name, text in files.items():
                    repository.write(name, text)
                repository.commit("files")
                result = self.bernstein(repository, "init", "--json")
                self.assertEqual(0, result.code, str(result))
                self.assertEqual(gates, [gate["name"] for gate in result.json()["gates"]])

    def test_init_outside_of_a_repository_or_before_the_first_commit_changes_nothing(self):
        empty = self.directory / "plain"
        empty.mkdir()
        self.assertEqual(6, self.bernstein(None, "init", directory=empty).code)
        self.assertEqual([], list(empty.iterdir()))
        unborn = self.repository("unborn", commit=False)
        result = self.bernstein(unborn, "init")
        self.assertIn("commit something first", result.err)
        self.assertFalse(unborn.sdd.exists())


if __name__ == "__main__":
    unittest.main()
