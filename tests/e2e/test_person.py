"""approve, retry, undo: what a person wants of tasks, on runs that have ended and on runs at work."""

import json
import shutil
import unittest

from support import Disturbed, dedent


class Person(Disturbed):
    def file(self, repository, path, commit="main"):
        return repository.show(path, commit)

    def ended_run(self, repository, plan, *words, expect):
        return self.run_plan(repository, plan, "--plain", *words, expect=expect)

    def act(self, repository, *words, expect=0):
        result = self.bernstein(repository, *words)
        self.assertEqual(expect, result.code, str(result))
        return result

    def requests(self, repository):
        folder = repository.sdd / "requests"
        return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []

    def assert_refused(self, repository, *words, text):
        """Exit code 2 and a sentence; nothing was started, nothing recorded, nothing changed."""
        before = (len(self.events(repository)), repository.refs(), repository.tip("main"))
        result = self.act(repository, *words, expect=2)
        self.assertIn(text, result.err)
        self.assertEqual("", result.out)
        self.assertEqual(before, (len(self.events(repository)), repository.refs(), repository.tip("main")))


class Approve(Person):
    def test_what_passed_its_checks_waits_for_a_look_and_lands_when_it_is_approved(self):
        repository = self.place()
        tip = repository.tip("main")
        ended = self.ended_run(repository, self.plan("echo 1 > t1.txt", "echo 2 > t2.txt"), "--approve", "merge", expect=5)
        self.assertIn("bernstein approve r1/t1", ended.out)
        self.assertEqual(tip, repository.tip("main"))
        status = self.act(repository, "status").out
        self.assertIn("t1 waits for your look: bernstein approve r1/t1   lands it, bernstein diff r1/t1 shows it", status)
        summary = self.act(repository, "status", "--json").json()
        self.assertEqual(["approval", "approval"], [task["held"]["reason"] for task in summary["tasks"]])
        self.assert_refused(repository, "approve", "r1", text="bernstein approve r1/t1")
        self.assert_refused(repository, "approve", "t3", text="r1 has no task t3; its tasks are t1 to t2")
        self.assert_refused(repository, "retry", "t1", text="t1 of r1 has not failed: it passed its checks and waits")
        self.assert_refused(repository, "undo", "t1", text="t1 of r1 has not landed: it is verified")

        self.act(repository, "approve", "r1/t1", expect=5)
        self.assertEqual(("1\n", None), (self.file(repository, "t1.txt"), self.file(repository, "t2.txt")))
        self.assert_refused(repository, "approve", "t1", text="t1 of r1 has landed already")
        done = self.act(repository, "approve", "t2", "--json")
        self.assertEqual("landed", done.json()["outcome"])
        self.assert_landed(repository, 2)
        self.assert_sound(repository)

    def test_several_are_approved_at_once(self):
        repository = self.place()
        self.ended_run(repository, self.plan("echo 1 > t1.txt", "echo 2 > t2.txt"), "--approve", "merge", expect=5)
        self.act(repository, "approve", "t1", "t2")
        self.assert_landed(repository, 2)

    def test_a_run_at_work_is_told(self):
        repository = self.place()
        plan = self.plan("echo 1 > t1.txt", f"{self.wait('2')}\necho 2 > t2.txt")
        process = self.begin(repository, plan, "--approve", "merge", "--max-agents", "2")
        self.wait_for_events(repository, "LandingHeld", "t1.1")
        told = self.act(repository, "approve", "t1")
        self.assertEqual("r1/t1 is approved: it lands when it passes its checks on the target as it is now\n", told.out)
        self.wait_for_events(repository, "MergeLanded", "t1.1")
        self.assertEqual([], self.requests(repository))
        asked = self.bernstein(repository, "approve", "t2")
        self.assertEqual(2, asked.code)
        self.assertIn("t2 of r1 waits for no approval: it is running", asked.err)
        self.open("2")
        self.assertEqual(5, self.finish(process).code)
        done = self.act(repository, "approve", "t2")
        self.assertIn("2 of 2 tasks landed", done.out)
        self.assert_sound(repository)

    def test_a_file_that_is_no_request_is_refused_and_a_link_is_not_followed(self):
        repository = self.place()
        process = self.at_work(repository, 1)
        folder = repository.sdd / "requests"
        self.wait_until(folder.is_dir, "there is a place for requests")
        secret = self.directory / "elsewhere.json"
        secret.write_text('{"kind":"undo","run":"r1","task":"t1","version":1}')
        (folder / "1.json").symlink_to(secret)
        (folder / ".2.json").write_text('{"kind":"approve","run":"r1","task":"t1","version":2}')
        (folder / ".2.json").rename(folder / "2.json")
        self.wait_until(lambda: self.requests(repository) == ["1.json.refused", "2.json.refused"], "both are refused")
        self.assertEqual("the request is no file of ours", (folder / "1.json.refused").read_text())
        self.assertEqual("the request is not what this version of Bernstein writes", (folder / "2.json.refused").read_text())
        self.assertTrue(secret.exists())
        self.open("1")
        self.assertEqual(0, self.finish(process).code)
        self.assertEqual([], self.events(repository, "UndoWanted", "LandingApproved"))


class Retry(Person):
    def needs(self, name, file):
        return dedent(
            f"""
            stages:
              - name: one
                steps:
                  - title: "Needs {name}"
                    files: [t1.txt]
                    description: "RUN: echo 1 > t1.txt"
                    completion_signals:
                      - {{type: test_passes, command: "test -f '{file}'"}}
                  - {{title: "Slow", files: [t2.txt], description: {json.dumps("RUN: " + self.wait("2") + "; echo 2 > t2.txt")}}}
                  - {{title: "Behind", depends_on: ["Needs {name}"], files: [t3.txt], description: "RUN: echo 3 > t3.txt"}}
            """
        )

    def test_a_task_whose_cause_was_mended_lands_and_so_do_those_behind_it(self):
        repository = self.place("limits: {attempts: 1}")
        cause = self.directory / "cause"
        self.open("2")
        self.ended_run(repository, self.needs("a file", cause), expect=1)
        self.assertEqual(["failed", "landed", "blocked"], [row["status"] for row in self.tasks(repository).values()])
        self.assert_refused(repository, "retry", "t3", text="t3 of r1 is blocked by t1, which failed: `bernstein retry r1/t1`")
        self.assert_refused(repository, "retry", "t2", text="`bernstein undo r1/t2` takes it back")
        self.act(repository, "retry", "t1", expect=1)

        cause.write_text("")
        done = self.act(repository, "retry", "r1/t1")
        self.assertIn("3 of 3 tasks landed", done.out)
        self.assert_landed(repository, 3)
        self.assert_refused(repository, "retry", "t1", text="t1 of r1 has landed")
        self.assert_sound(repository)

    def test_what_needs_another_task_that_failed_is_blocked_again(self):
        """It is reached in two ways from the one that is tried again."""
        repository = self.place("limits: {attempts: 1}")
        cause = self.directory / "cause"
        plan = f"""
            stages:
              - name: one
                steps:
                  - {{title: "Cause", id: cause, files: [t1.txt], description: "RUN: test -f '{cause}' && echo 1 > t1.txt"}}
                  - {{title: "Lost", id: lost, files: [t2.txt], description: "RUN: exit 3"}}
                  - {{title: "Behind", id: behind, depends_on: [cause], files: [t3.txt], description: "RUN: echo 3 > t3.txt"}}
                  - {{title: "Last", depends_on: [cause, behind, lost], files: [t4.txt], description: "RUN: echo 4 > t4.txt"}}
            """
        self.ended_run(repository, plan, expect=1)
        cause.write_text("")
        done = self.act(repository, "retry", "t1", expect=1)
        self.assertIn("2 of 4 tasks landed", done.out)
        self.assertIn("blocked  t4 Last: t2 failed, so it will not land", done.out)
        self.assertEqual(["landed", "failed", "landed", "blocked"], [row["status"] for row in self.tasks(repository).values()])
        self.assert_sound(repository)

    def test_a_run_at_work_tries_it_again(self):
        repository = self.place("limits: {attempts: 1}")
        cause = self.directory / "cause"
        process = self.begin(repository, self.needs("a file", cause), "--max-agents", "2")
        self.wait_for_events(repository, "TaskFailed", "t1")
        cause.write_text("")
        told = self.act(repository, "retry", "t1", "--json")
        self.assertEqual({"asked": "retry", "run": "r1", "tasks": ["t1"]}, told.json())
        self.assertEqual("r1/t1 is tried again\n", told.err)
        self.wait_for_events(repository, "MergeLanded", "t1.2", "t3.1")
        self.open("2")
        self.assertEqual(0, self.finish(process).code)
        self.assert_landed(repository, 3)
        self.assert_sound(repository)

    def test_wrong_names_start_nothing(self):
        repository = self.place("limits: {attempts: 1}")
        self.ended_run(repository, self.plan("exit 3"), expect=1)
        self.assert_refused(repository, "retry", "t9", text="r1 has no task t9; its only task is t1")
        self.assert_refused(repository, "retry", "t1.1", text="'t1.1' is an attempt; name its task, r1/t1")
        self.assert_refused(repository, "retry", "r7/t1", text="there is no run r7; the only run is r1")
        self.assert_refused(repository, "retry", "plan", text="the plan is no task")
        self.assertEqual(2, self.bernstein(repository, "retry").code)


class Conflict(Person):
    """The agent moves the target under its own feet, so that every attempt conflicts."""

    def handed_over(self):
        repository = self.place('quality_gates: {whole: "test -f shared.txt"}')
        repository.write("shared.txt", "first\n")
        repository.commit("shared")
        commit = f"git -C '{repository.root}' -c user.name=Ann -c user.email=ann@example.org commit -qam moved"
        script = f"echo mine > shared.txt\necho theirs $ATTEMPT > '{repository.root}/shared.txt'\n{commit}"
        ended = self.ended_run(repository, self.plan(script).replace("files: [t1.txt]", "files: [shared.txt]"), expect=1)
        return repository, ended

    def test_what_agents_cannot_resolve_is_resolved_by_a_person_and_passes_the_same_checks(self):
        repository, ended = self.handed_over()
        place = ".sdd/worktrees/session-r1-t1.5"
        advice = f"t1 waits for you: resolve its conflict in shared.txt, which is in {place}, then: bernstein retry r1/t1"
        self.assertIn(f"[t1] a person resolves its conflict in {place}, then: bernstein retry r1/t1\n", ended.out)
        self.assertIn(advice, ended.out)
        self.assertIn(advice, self.act(repository, "status").out)
        self.assertEqual(place, self.act(repository, "status", "--json").json()["tasks"][0]["worktree"])
        worktree = repository.root / place
        self.assertIn("<<<<<<<", (worktree / "shared.txt").read_text())

        cleaned = self.act(repository, "clean").out
        self.assertIn("kept session-r1-t1.5: it was handed over to you: resolve the conflict there, then "
                      "`bernstein retry r1/t1`\n", cleaned)  # fmt: skip
        self.assertTrue((worktree / "shared.txt").exists())

        # Markers that are left are refused, and what there is is handed over again.
        left = self.act(repository, "retry", "t1", expect=1)
        self.assertIn("conflict markers are left in shared.txt", left.out)
        worktree = repository.root / ".sdd/worktrees/session-r1-t1.6"
        (worktree / "shared.txt").write_text("mine and theirs\n")
        done = self.act(repository, "retry", "r1/t1")
        self.assertIn("1 of 1 task landed", done.out)
        self.assertEqual("mine and theirs\n", self.file(repository, "shared.txt"))
        checked = [e for e in self.events(repository, "CheckFinished") if e["subject"] == "t1.6"]
        self.assertEqual(["passed"], [e["payload"]["verdict"] for e in checked])
        self.act(repository, "clean")
        self.assert_sound(repository)


    def test_a_worktree_that_is_gone_is_made_again_with_the_conflict_in_it(self):
        repository, _ = self.handed_over()
        shutil.rmtree(repository.root / ".sdd/worktrees/session-r1-t1.5")
        gone = self.act(repository, "retry", "t1", expect=1)
        self.assertIn("the worktree of session-r1-t1.5 is gone", gone.out)
        file = repository.root / ".sdd/worktrees/session-r1-t1.6/shared.txt"
        self.assertIn("<<<<<<<", file.read_text())
        file.write_text(repository.show("shared.txt", "main"))
        self.assertIn("its worktree holds no changes", self.act(repository, "retry", "t1", expect=1).out)
        file = repository.root / ".sdd/worktrees/session-r1-t1.7/shared.txt"
        self.assertIn("<<<<<<<", file.read_text())
        file.write_text("mine and theirs\n")
        done = self.act(repository, "retry", "t1")
        self.assertIn("r1 goes on: 0 attempts in flight", done.out)
        self.assert_sound(repository)


class Undo(Person):
    PLAN = """
    stages:
      - name: one
        steps:
          - {title: "First", id: first, files: [a.txt], description: "RUN: echo 1 > a.txt"}
          - {title: "Second", depends_on: [first], files: [b.txt], description: "RUN: echo 2 > b.txt"}
          - {title: "Third", id: third, depends_on: [first], files: [README.md], description: "RUN: echo three >> README.md"}
          - {title: "Fourth", depends_on: [third], files: [README.md], description: "RUN: echo four >> README.md"}
    """

    def test_what_a_task_has_landed_is_taken_back_through_the_same_checks(self):
        repository = self.place('quality_gates: {readme: "test -f README.md"}')
        self.ended_run(repository, self.PLAN, expect=0)
        done = self.act(repository, "undo", "first")
        self.assertIn("note: t2, t3, t4 depend on t1 and stay as landed\n", done.err)
        self.assertIn("undone  t1 First, by t5\n", done.out)
        self.assertEqual((None, "2\n"), (self.file(repository, "a.txt"), self.file(repository, "b.txt")))
        self.assertFalse((repository.root / "a.txt").exists(), "the checkout follows")
        ran = [e["payload"]["verdict"] for e in self.events(repository, "CheckFinished") if e["subject"] == "t5.1"]
        self.assertEqual(["passed"], ran)
        self.assertIn(", and taken back by t5", self.act(repository, "why", "t1").out)
        self.assertIn("Undo t1: First", self.act(repository, "why", "t5").out)
        summary = self.act(repository, "status", "--json").json()["tasks"]
        self.assertEqual(("t5", "t1"), (summary[0]["undone_by"], summary[4]["undoes"]))
        self.assert_refused(repository, "undo", "t1", text="t1 of r1 was taken back already, by t5")

        # An undo is a landing as any other.
        self.act(repository, "undo", "t5")
        self.assertEqual("1\n", self.file(repository, "a.txt"))
        self.act(repository, "undo", "t1")
        self.assertIsNone(self.file(repository, "a.txt"))
        self.assert_sound(repository)

    def test_what_later_work_builds_on_stays_and_the_paths_are_named(self):
        repository = self.place()
        self.ended_run(repository, self.PLAN, expect=0)
        tip = repository.tip("main")
        failed = self.act(repository, "undo", "t3", expect=1)
        self.assertIn("README.md", failed.out)
        self.assertEqual(tip, repository.tip("main"))
        self.assertEqual("failed", self.tasks(repository)["t5"]["status"])
        self.assert_refused(repository, "undo", "t3", text="t5 is to take back t3 of r1 already, and failed: `bernstein retry r1/t5`")

    def test_a_run_at_work_takes_it_back(self):
        repository = self.place()
        plan = self.plan("echo 1 > t1.txt", f"{self.wait('2')}\necho 2 > t2.txt")
        process = self.begin(repository, plan, "--max-agents", "2")
        self.wait_for_events(repository, "MergeLanded", "t1.1")
        told = self.act(repository, "undo", "t1")
        self.assertEqual("t3 takes back what r1/t1 has landed, through the same checks\n", told.out)
        self.wait_for_events(repository, "MergeLanded", "t3.1")
        self.open("2")
        self.assertEqual(0, self.finish(process).code)
        self.assertEqual((None, "2\n"), (self.file(repository, "t1.txt"), self.file(repository, "t2.txt")))
        self.assert_sound(repository)

    def test_a_wish_that_was_recorded_before_a_crash_is_not_done_twice(self):
        repository = self.place()
        plan = self.plan("echo 1 > t1.txt", f"{self.wait('2')}\necho 2 > t2.txt")
        crash = {"BERNSTEIN_CRASH": "run.wish.before_answer"}
        process = self.begin(repository, plan, "--max-agents", "2", environment=crash)
        self.wait_for_events(repository, "MergeLanded", "t1.1")
        told = self.act(repository, "undo", "t1", expect=2)
        self.assertIn("t3 is to take back t1 of r1 already", told.err)
        self.assertEqual(-9, self.finish(process).code)
        # As if whoever asked had gone as well: what it asked for still lies there.
        request = repository.sdd / "requests" / "00000000000000001-1-1.json"
        request.write_text('{"kind":"undo","run":"r1","task":"t1","version":1}')
        self.open("2")
        self.act(repository, "resume")
        self.assertEqual([request.name + ".refused"], self.requests(repository))
        self.assertEqual(1, len(self.events(repository, "UndoWanted")))
        self.assertIsNone(self.file(repository, "t1.txt"))
        self.assert_sound(repository)


if __name__ == "__main__":
    unittest.main()
