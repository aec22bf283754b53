"""bernstein -g: an agent makes the plan; what it answers is read as any plan, sent back with its faults, or refused."""

import json
import os
import pty
import signal
import unittest

from support import BERNSTEIN, PLANNER, Disturbed, EndToEnd

GATES = 'quality_gates: {readme: "test -f README.md"}\n'


def step(name, description="", **more):
    return {"id": name, "title": name.title(), "description": description or f"RUN: echo {name} > {name}.txt",
            "files": [f"{name}.txt"], **more}  # fmt: skip


def plan(*steps):
    return json.dumps({"name": "Greetings", "stages": [{"name": "greet", "steps": list(steps)}]})


GOOD = plan(step("hello"), step("bonjour", depends_on=["hello"], completion_signals=[{"type": "path_exists", "path": "hello.txt"}]))


class Goal(EndToEnd):
    def planned(self, *answers, more="sandbox: off\n" + GATES):
        repository = self.repository()
        self.config(repository, more, PLANNER)
        for number, answer in enumerate(answers, 1):
            (self.directory / f"answer {number}").write_text(answer, encoding="utf-8")
        return repository

    def asked(self, number=1):
        return (self.directory / f"asked {number}").read_text(encoding="utf-8")

    def times_asked(self):
        return len(list(self.directory.glob("asked *")))

    def test_a_goal_becomes_a_plan_that_lands_is_kept_and_can_be_derived_again_without_anything(self):
        repository = self.planned("Here it is:\n\n```json\n" + GOOD + "\n```\nGood luck!")
        result = self.bernstein(repository, "-g", "Greet people\nin two languages", "--json")
        self.assertEqual(0, result.code, str(result))
        summary = result.json()
        self.assertEqual([("t1", "Hello", "landed"), ("t2", "Bonjour", "landed")],
                         [(task["id"], task["title"], task["status"]) for task in summary["tasks"]])  # fmt: skip
        self.assertEqual("hello\n", repository.show("hello.txt", "main"))
        self.assertIsNone(repository.show("planner.txt", "main"), "what the planner changed does not land")
        self.assertEqual("the planner was here\n", repository.show("planner.txt", "refs/bernstein/salvage/r1/plan.1"))

        for word in ("Greet people\nin two languages", "README.md", "readme", "backend", "completion_signals"):
            self.assertIn(word, self.asked())
        self.assertEqual(self.asked(), self.prompt(repository, "plan.1"))
        read = self.events(repository, "PlanRead")[0]["payload"]
        self.assertIn("Good luck!", self.blob(repository, read["answer"]))
        kept = repository.sdd / "plans/r1.yaml"
        self.assertEqual(kept.read_text(encoding="utf-8"), self.blob(repository, read["source"]))
        again = self.bernstein(repository, "run", str(kept), "--dry-run", "--json")
        self.assertEqual(["Hello", "Bonjour"], [task["title"] for task in again.json()["tasks"]], str(again))

        alone = self.bernstein(repository, "replay", "--json", environment={"PATH": "/nowhere", "HOME": "/nowhere"})
        self.assertEqual((0, 0), (alone.code, alone.json()["divergences"]), str(alone))
        self.assert_sound(repository)
        row = self.rows(repository, "SELECT task, attempt, agent, outcome FROM attempts")[0]
        self.assertEqual({"task": "plan", "attempt": 1, "agent": "tester", "outcome": "planned"}, row)
        self.assertEqual("planner", self.rows(repository, "SELECT role FROM costs")[0]["role"])
        self.assertEqual([2, 2], list(self.rows(repository, "SELECT tasks, landed FROM runs")[0].values()))
        for words in (["why", "plan"], ["logs", "plan"], ["logs", "plan.1"], ["status"], ["cost"], ["events"]):
            shown = self.bernstein(repository, *words)
            self.assertEqual(0, shown.code, str(shown))
            self.assertNotEqual("", shown.out)

    def test_an_answer_with_faults_is_sent_back_with_them_and_refused_in_the_end(self):
        trap = self.directory / "trap"
        bad = {
            "prose": ("I would greet people.", "is no plan"),
            "nothing": ("", "is no plan"),
            "half a JSON": (GOOD[:-3], "is no plan"),
            "a cycle": (plan(step("a", depends_on=["b"]), step("b", depends_on=["a"])), "wait for each other"),
            "10,000 tasks": (plan(*[step(f"s{n}") for n in range(10_000)]), "10000"),
            "an absolute path": (plan(step("a", files=["/etc/passwd"])), "'/etc/passwd' in 'files', which is absolute"),
            "a way out": (plan(step("a", files=["../a"])), "'../a'"),
            "a command": (plan(step("a", completion_signals=[{"type": "test_passes", "command": f"touch '{trap}'"}])), "command"),
            "a gate that is none": (plan(step("a", completion_signals=[{"type": "gate", "name": "readmee"}])), "'readme'"),
            "an agent": (plan(step("a", cli="tester")), "cli"),
        }  # fmt: skip
        repository = self.planned()
        for number, (name, (answer, word)) in enumerate(bad.items()):
            with self.subTest(name):
                before = repository.tip()
                for file in self.directory.glob("asked *"):
                    file.unlink()
                for session in (1, 2, 3):
                    (self.directory / f"answer {session}").write_text(answer, encoding="utf-8")
                result = self.bernstein(repository, "-g", "Greet")
                self.assertEqual(1, result.code, str(result))
                self.assertEqual(3, self.times_asked(), str(result))
                self.assertIn("there is no plan: 3 sessions of the planner failed", result.out)
                self.assertEqual((before, False), (repository.tip(), trap.exists()))
                run = f"r{2 * number + 1}"
                faults = self.events(repository, "PlanRead", run=run)[0]["payload"]["faults"]
                self.assertTrue(any(word in fault for fault in faults), faults)
                self.assertIn(faults[0], self.asked(2))

                (self.directory / "answer 2").write_text(GOOD.replace("hello", f"hello{number}").replace("bonjour", f"bonjour{number}"), encoding="utf-8")
                mended = self.bernstein(repository, "-g", "Greet", "--agent", "tester")
                self.assertEqual((0, False), (mended.code, trap.exists()), str(mended))
        self.assert_sound(repository, f"r{2 * len(bad)}")

    def test_a_plan_waits_for_a_persons_look(self):
        repository = self.planned(GOOD)
        before = repository.tip()
        shown = self.bernstein(repository, "-g", "Greet", "--approve", "plan")
        self.assertEqual(5, shown.code, str(shown))
        for word in ("Hello", "t2  Bonjour (backend), after t1; owns bonjour.txt", "bernstein approve r1", ".sdd/plans/r1.yaml"):
            self.assertIn(word, shown.out)
        self.assertEqual((before, {}), (repository.tip(), self.tasks(repository)))
        still = self.bernstein(repository, "resume")
        self.assertEqual((5, before), (still.code, repository.tip()), str(still))
        status = self.bernstein(repository, "status").out
        for word in ("a plan of 2 tasks waits for a look", "t2  Bonjour (backend), after t1", "bernstein approve r1"):
            self.assertIn(word, status)

        approved = self.bernstein(repository, "approve")
        self.assertEqual(0, approved.code, str(approved))
        self.assertEqual((1, "hello\n"), (self.times_asked(), repository.show("hello.txt", "main")))
        self.assert_sound(repository)
        late = self.bernstein(repository, "approve", "r1")
        self.assertEqual(0, late.code, str(late))  # as of a resume: it has ended well
        own = self.run_plan(repository, plan(step("own")), "--approve", "plan", expect=5)
        self.assertIn("t1  Own (backend); owns own.txt", own.out)
        self.assertEqual(0, self.bernstein(repository, "approve", "r2").code)
        self.assertEqual("own\n", repository.show("own.txt", "main"))

    def test_what_cannot_be_a_goal_is_refused_before_anything_starts(self):
        repository = self.planned(GOOD)
        before = repository.fingerprint()
        (repository.root / "plan.yaml").write_text(GOOD, encoding="utf-8")
        for words, text in (
            (["run", "plan.yaml", "-g", "x"], "a plan or a goal, not both"),
            (["-g", ""], "the goal is empty"),
            (["-g", " \n"], "the goal is empty"),
            (["-g", "x", "--dry-run"], "--approve plan"),
            (["-g", "x" * 70_000], "longer than 64 KiB"),
            (["-g", "x", "--agent", "nobody"], "names agent 'nobody'"),
        ):
            with self.subTest(words[-1][:20]):
                result = self.bernstein(repository, *words)
                self.assertEqual(2, result.code, str(result)[:2000])
                self.assertIn(text, result.err)
        (repository.root / "plan.yaml").unlink()
        self.assertEqual(before, repository.fingerprint())
        piped = self.bernstein(repository, "-g", "-", stdin="Greet from a pipe\n")
        self.assertEqual(0, piped.code, str(piped))
        self.assertIn("Greet from a pipe", self.asked())

    def test_a_task_without_attempts_left_is_split_and_its_parts_land_in_its_place(self):
        failing = step("big", "RUN: exit 3", completion_signals=[{"type": "path_exists", "path": "small.txt"}])
        parts = plan(step("small"), step("rest"))
        repository = self.planned(plan(failing, step("after", depends_on=["big"])), parts,
                                  more="sandbox: off\nlimits: {attempts: 2}\n" + GATES)  # fmt: skip
        result = self.bernstein(repository, "-g", "Greet")
        self.assertEqual(0, result.code, str(result))
        tasks = self.tasks(repository)
        self.assertEqual({"t1": "split", "t2": "landed", "t3": "landed", "t4": "landed"},
                         {name: task["status"] for name, task in tasks.items()})  # fmt: skip
        self.assertEqual([3, 3], list(self.rows(repository, "SELECT tasks, landed FROM runs")[0].values()))
        for word in ("RUN: exit 3", "exited with 3", "Greet"):
            self.assertIn(word, self.asked(2))
        last = self.events(repository, "TaskCreated")[-1]["payload"]["spec"]
        self.assertEqual((["t3"], "t1", "small.txt"), (last["depends_on"], last["part_of"], last["signals"][-1]["path"]))
        landed = [event["subject"] for event in self.events(repository, "MergeLanded")]
        self.assertEqual(["t3.1", "t4.1", "t2.1"], landed, "whoever waited for the whole waited for its last part")
        self.assertIn("t1", self.bernstein(repository, "why", "t1").out)
        self.assertEqual(0, self.bernstein(repository, "logs", "t4").code)
        self.assert_sound(repository)

    def test_where_no_answer_helps_the_task_fails_as_it_would_have(self):
        repository = self.planned(plan(step("big", "RUN: exit 3"), step("after", depends_on=["big"])), "no", "no", "no",
                                  more="sandbox: off\nlimits: {attempts: 1}\n")  # fmt: skip
        result = self.bernstein(repository, "-g", "Greet")
        self.assertEqual(1, result.code, str(result))
        self.assertEqual(["failed", "blocked"], [task["status"] for task in self.tasks(repository).values()])
        self.assertEqual(4, self.times_asked())
        self.assertIn("could not be split", result.out)
        self.assert_sound(repository)

    def test_a_plan_of_ones_own_is_split_only_where_a_planner_is_named(self):
        more = "sandbox: off\nlimits: {attempts: 1}\n"
        repository = self.planned(plan(step("small"), step("rest")), more=more)
        self.run_plan(repository, plan(step("big", "RUN: exit 3")), expect=1)
        self.assertEqual(0, self.times_asked())
        repository.write("bernstein.yaml", repository.read("bernstein.yaml") + "role_model_policy: {planner: {model: large}}\n")
        repository.commit("planner")
        self.run_plan(repository, plan(step("big", "RUN: exit 3")))
        self.assertEqual((1, "rest\n"), (self.times_asked(), repository.show("rest.txt", "main")))
        self.assertEqual("large", self.rows(repository, "SELECT model FROM attempts WHERE task = 'plan'")[0]["model"])

    def test_a_key_in_the_goal_or_in_the_answer_is_kept_nowhere(self):
        key = "sk-canary-0123456789"
        escaped = key.replace("-", "\\u002d")
        repository = self.planned(GOOD.replace("Greetings", f"Greet {key}").replace("Hello", f"Hello {escaped}"))
        text = repository.read("bernstein.yaml").replace("models:", "env: [MY_KEY]\n    models:", 1)
        repository.write("bernstein.yaml", text)
        repository.commit("key")
        result = self.bernstein(repository, "-g", f"Greet with {key}", environment={"MY_KEY": key})
        self.assertEqual(0, result.code, str(result))
        self.assertIn("[redacted MY_KEY]", self.asked())
        for file in repository.sdd.rglob("*"):
            if file.is_file():
                self.assertNotIn(key.encode(), file.read_bytes(), file)


class Asked(EndToEnd):
    planned, asked, times_asked = Goal.planned, Goal.asked, Goal.times_asked

    def on_terminal(self, repository, word, *words):
        """Runs a command on a terminal; when it asks, types a word. The exit code, or the signal that ended it."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(repository.root)
            os.execve(BERNSTEIN, [BERNSTEIN, *words], {**self.environment, "TERM": "xterm"})
        shown = b""
        try:
            while chunk := os.read(terminal, 4096):
                shown += chunk
                if word and b"[y/N]" in shown:
                    os.write(terminal, word)
                    word = b""
        except OSError:  # the terminal closes with its last process
            pass
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        return os.waitstatus_to_exitcode(status), shown.decode()

    def test_on_a_terminal_the_person_is_asked_at_once(self):
        repository = self.planned(GOOD)
        before = repository.tip()
        code, shown = self.on_terminal(repository, b"n\n", "-g", "Greet", "--approve", "plan")
        self.assertEqual((5, before), (code, repository.tip()), shown)
        code, shown = self.on_terminal(repository, b"\x03", "-g", "Greet", "--approve", "plan")
        self.assertEqual((-signal.SIGINT, before), (code, repository.tip()), shown)
        code, shown = self.on_terminal(repository, b"y\n", "-g", "Greet", "--approve", "plan")
        self.assertEqual((0, "hello\n"), (code, repository.show("hello.txt", "main")), shown)
        self.assert_sound(repository, "r3")


class Interrupted(Disturbed):
    planned, asked, times_asked = Goal.planned, Goal.asked, Goal.times_asked

    def test_a_planner_outlives_kill_9_and_is_not_asked_again(self):
        repository = self.planned(GOOD)
        (self.directory / "gate 1").write_text("")
        process = self.begin_command(repository, "-g", "Greet")
        self.wait_until((self.directory / "asked 1").exists, "the planner is at work")
        self.wait_for_events(repository, "AgentStarted", "plan.1")
        self.crash(process)
        (self.directory / "go 1").write_text("")
        result = self.bernstein(repository, "resume")
        self.assertEqual(0, result.code, str(result))
        self.assertEqual((1, "hello\n"), (self.times_asked(), repository.show("hello.txt", "main")))
        self.assert_sound(repository)

    def test_stop_while_planning_ends_the_run_and_resume_goes_on_with_the_answer(self):
        repository = self.planned(GOOD)
        (self.directory / "gate 1").write_text("")
        process = self.begin_command(repository, "-g", "Greet")
        self.wait_for_events(repository, "AgentStarted", "plan.1")
        self.interrupt(process)
        self.wait_for_events(repository, "StopRequested")
        (self.directory / "go 1").write_text("")
        self.assertEqual(5, self.finish(process).code)
        result = self.bernstein(repository, "resume")
        self.assertEqual(0, result.code, str(result))
        self.assertEqual(1, self.times_asked())
        self.assert_sound(repository)


if __name__ == "__main__":
    unittest.main()
