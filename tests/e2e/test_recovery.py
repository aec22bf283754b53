"""resume, stop and pause: what becomes of a run whose Bernstein, supervisor or agents end at the wrong time."""

import os
import shutil
import signal
import time
import unittest

from support import Disturbed, dedent, sandbox_obstacle

ONE = """
stages:
  - name: one
    steps:
      - {title: "One file", files: [a.txt], description: "RUN: echo a > a.txt"}
"""


class Killed(Disturbed):
    def test_four_agents_at_work_are_taken_back_and_none_is_started_again(self):
        repository = self.place()
        plan = self.plan(
            f"test $ATTEMPT = 2 || {{ {self.wait(1)}; echo half > t1.txt; exit 3; }}\necho 1 > t1.txt",
            *[f"{self.wait(n)}\necho {n} > t{n}.txt" for n in (2, 3, 4)],
        )
        process = self.begin(repository, plan, "--max-agents", "4")
        self.wait_until_at(repository, 1, 2, 3, 4)
        before = self.supervisors(repository)
        self.assertEqual(["t1.1", "t2.1", "t3.1", "t4.1"], sorted(before))
        self.crash(process)
        self.assertTrue(all(self.is_alive(pid) for pid in before.values()), "the agents go on")

        # Two come to their end while nobody is there.
        self.open(1, 2)
        self.wait_until(lambda: not self.is_alive(before["t1.1"]) and not self.is_alive(before["t2.1"]), "two have ended")
        self.assertEqual([], self.events(repository, "AgentExited"))
        resumed = self.begin_command(repository, "resume", "--plain")
        self.wait_for_events(repository, "AgentExited", "t1.1", "t2.1")
        self.assertTrue(self.is_alive(before["t3.1"]) and self.is_alive(before["t4.1"]), "the others are still the same")
        self.open(3, 4)
        result = self.finish(resumed)

        self.assertEqual(0, result.code, str(result))
        after = self.supervisors(repository)
        self.assertEqual(["t1.1", "t1.2", "t2.1", "t3.1", "t4.1"], sorted(after))
        self.assertEqual(before, {attempt: after[attempt] for attempt in before})
        self.assertEqual({"t1.1": 3, "t1.2": 0, "t2.1": 0, "t3.1": 0, "t4.1": 0},
                         {attempt: end["exit_code"] for attempt, end in self.exits(repository).items()})  # fmt: skip
        self.assertEqual([("t1.1", "task", "the agent exited with 3")],
                         [(e["subject"], e["payload"]["class"], e["payload"]["why"])
                          for e in self.events(repository, "AttemptFailed")])  # fmt: skip
        self.assertEqual("half\n", repository.show("t1.txt", "refs/bernstein/salvage/r1/t1.1"))
        self.assert_landed(repository, 4)
        self.assertEqual([2], [e["payload"]["epoch"] for e in self.events(repository, "RunResumed")])
        self.assert_sound(repository)

    def test_a_killed_supervisor_costs_its_attempt_no_try_and_takes_its_agents_daemons_with_it(self):
        obstacle = sandbox_obstacle()
        # A name of its own for `sleep`, by which those who live are told from all others.
        self.directory.joinpath("bin dir").mkdir()
        slumber = self.directory / "bin dir/slumber"
        slumber.symlink_to(shutil.which("sleep"))
        for mode in ("off", "auto"):
            for owner in ("is there", "is not there"):
                with self.subTest(mode, owner=owner):
                    if mode == "auto" and obstacle:
                        self.skipTest(obstacle)
                    self.lose_a_supervisor(mode, owner == "is there", slumber)

    def lose_a_supervisor(self, mode, with_owner, slumber):
        name = f"{mode} {with_owner}"
        repository = self.place("limits: {attempts: 1}", name=name, sandbox=mode)
        family = f"""
            echo half > t1.txt
            cd /
            setsid setsid '{slumber}' 1001 < /dev/null > /dev/null 2>&1 &
            '{slumber}' 1002 &
            (trap '' TERM HUP; '{slumber}' 1003 & wait) &
            cd "$OLDPWD"
            {self.wait(name)}"""
        script = "if [ $ATTEMPT = 1 ]; then\n" + dedent(family) + "\nfi\necho 1 > t1.txt"
        process = self.begin(repository, self.plan(script))
        self.wait_until_at(repository, name)
        self.wait_until(lambda: len(self.processes_in(slumber)) == 3, "the whole family is there")
        pid = self.supervisors(repository)["t1.1"]
        if not with_owner:
            self.crash(process)
        os.kill(pid, signal.SIGKILL)
        if not with_owner:
            self.wait_until(lambda: not self.is_alive(pid), "the supervisor is gone")
            process = self.begin_command(repository, "resume", "--plain")
        self.wait_until_gone(slumber)
        result = self.finish(process)

        self.assertEqual(0, result.code, str(result))
        self.assertIn("[t1] its agent was ended: its supervisor was killed\n", result.out)
        story = self.bernstein(repository, "why", "t1").out
        self.assertRegex(story, r"t1\.1 +agent done +ended: its supervisor was killed; ")
        failed = [(e["subject"], e["payload"]["class"], e["payload"]["why"]) for e in self.events(repository, "AttemptFailed")]
        self.assertEqual([("t1.1", "orchestrator", "the agent was ended: its supervisor was killed")], failed)
        self.assertEqual(["the attempt was lost, which uses up none: the agent was ended: its supervisor was killed"],
                         [e["payload"]["why"] for e in self.events(repository, "TaskRetried")])  # fmt: skip
        self.assertEqual("half\n", repository.show("t1.txt", "refs/bernstein/salvage/r1/t1.1"))
        self.assertEqual(["t1.1", "t1.2"], sorted(self.supervisors(repository)))
        self.assert_landed(repository, 1)
        self.assert_sound(repository)


    def test_an_agent_whose_control_directory_is_removed_is_ended_before_another_one_starts(self):
        repository = self.place("limits: {attempts: 1}")
        slumber = self.directory / "slumber"
        slumber.symlink_to(shutil.which("sleep"))
        work = f"echo half > t1.txt\nsetsid '{slumber}' 1001 &\n{self.wait(1)}"
        process = self.begin(repository, self.plan(f"if [ $ATTEMPT = 1 ]; then\n{work}\nfi\necho 1 > t1.txt"))
        self.wait_until_at(repository, 1)
        pid = self.supervisors(repository)["t1.1"]
        self.crash(process)
        shutil.rmtree(repository.sdd / "control")
        self.assertTrue(self.is_alive(pid) and self.processes_in(slumber), "the first agent is still at work")

        resumed = self.bernstein(repository, "resume")
        self.assertEqual(0, resumed.code, str(resumed))
        self.assertFalse(self.is_alive(pid))
        self.assertEqual([], self.processes_in(slumber))
        failed = [(e["subject"], e["payload"]["class"], e["payload"]["why"]) for e in self.events(repository, "AttemptFailed")]
        self.assertEqual([("t1.1", "orchestrator", "the agent was ended: its files in .sdd/control were removed")], failed)
        self.assertEqual("half\n", repository.show("t1.txt", "refs/bernstein/salvage/r1/t1.1"))
        self.assert_landed(repository, 1)
        self.assert_sound(repository)


class Stopped(Disturbed):
    def test_stop_finishes_what_is_in_flight_and_resume_does_the_rest(self):
        repository = self.place()
        plan = self.plan(f"{self.wait(1)}\necho 1 > t1.txt", "echo 2 > t2.txt", "echo 3 > t3.txt")
        process = self.begin(repository, plan, "--max-agents", "1", "--plain")
        self.wait_until_at(repository, 1)
        told = self.bernstein(repository, "stop")
        self.assertEqual((0, "it finishes what is in flight, starts nothing new, and stops\n"), (told.code, told.out))
        self.open(1)
        result = self.finish(process)
        self.assertEqual(5, result.code, str(result))
        self.assertEqual(["landed", "ready", "ready"], [row["status"] for row in self.tasks(repository).values()])

        resumed = self.bernstein(repository, "resume")
        self.assertEqual(0, resumed.code, str(resumed))
        self.assertEqual(["t1.1", "t2.1", "t3.1"], sorted(self.supervisors(repository)))
        self.assert_landed(repository, 3)
        self.assert_sound(repository)

    def test_stop_now_leaves_at_once_and_the_agents_go_on(self):
        repository = self.place()
        process = self.at_work(repository)
        before = self.supervisors(repository)
        told = self.bernstein(repository, "stop", "--now")
        self.assertEqual((0, "it leaves now; agents go on until a resume takes them back\n"), (told.code, told.out))
        result = self.finish(process)
        self.assertEqual(5, result.code, str(result))
        self.assertIn("2 agents or checks go on alone for up to 15m 00s: `bernstein resume r1` takes them back, "
                      "`bernstein stop` ends them\n", result.out)  # fmt: skip
        self.assertTrue(all(self.is_alive(pid) for pid in before.values()))
        left = self.events(repository)[-1]["wall_us"] // 1_000_000
        until = time.strftime("%Y-%m-%d %H:%M", time.localtime(left + 15 * 60))
        status = self.bernstein(repository, "status").out
        self.assertIn(f"\n2 agents or checks go on alone until about {until}: bernstein resume r1   takes them back, "
                      "bernstein stop ends them\n", status)  # fmt: skip
        self.assertNotIn("nobody is working on", status)

        resumed = self.begin_command(repository, "resume", "--plain")
        self.wait_for_events(repository, "RunResumed")
        self.open(1, 2)
        result = self.finish(resumed)
        self.assertEqual(0, result.code, str(result))
        self.assertEqual(before, self.supervisors(repository))
        self.assert_landed(repository, 2)
        self.assert_sound(repository)

    def test_clean_keeps_what_is_nowhere_else(self):
        repository = self.place()
        blocked = repository.root / ".git/refs/bernstein/salvage/r1/t1.1"  # a directory where the salvage ref would go
        blocked.mkdir(parents=True)
        (blocked / "x").write_text(repository.tip() + "\n")
        run = self.run_plan(repository, self.plan("echo precious > t1.txt"), expect=6)
        self.assertIn("the work of t1.1 is in .sdd/worktrees/session-r1-t1.1 and nowhere else; look at it\n", run.out)
        cleaned = self.bernstein(repository, "clean")
        self.assertIn("kept session-r1-t1.1: what its agent left there could not be saved", cleaned.out)
        self.assertEqual("precious\n", (repository.sdd / "worktrees/session-r1-t1.1/t1.txt").read_text())

    def test_a_lost_log_costs_no_worktree_and_no_number_is_used_twice(self):
        repository = self.place()
        process = self.begin(repository, self.plan(f"echo precious > t1.txt; {self.wait(1)}"))
        self.wait_until_at(repository, 1)
        self.crash(process)
        self.bernstein(repository, "stop")
        for file in repository.sdd.glob("state.db*"):
            file.unlink()
        result = self.run_plan(repository, self.plan("echo other > t1.txt"), name="other.yaml")
        self.assertIn("state.db was lost or replaced", result.err)
        self.assertEqual(["r2"], [row["run"] for row in self.rows(repository, "SELECT run FROM runs")])
        self.assertEqual("precious\n", (repository.sdd / "worktrees/session-r1-t1.1/t1.txt").read_text())
        self.assertEqual("other\n", repository.show("t1.txt"))

    def test_a_lower_limit_on_resume_is_no_fault_of_the_log(self):
        repository = self.place()
        process = self.begin(repository, self.plan(self.wait(1), self.wait(2)), "--max-agents", "2")
        self.wait_until_at(repository, 1, 2)
        self.crash(process)
        self.open(1, 2)
        resumed = self.bernstein(repository, "resume", "--max-agents", "1", "--budget", "0.01")
        self.assertIn(resumed.code, (0, 1, 4), str(resumed))
        self.assertEqual(0, self.bernstein(repository, "audit").code)

    def test_stop_said_twice_still_finishes_what_is_in_flight(self):
        repository = self.place()
        process = self.begin(repository, self.plan(f"{self.wait(1)}; echo 1 > t1.txt"))
        self.wait_until_at(repository, 1)
        for _ in range(2):
            self.assertEqual(0, self.bernstein(repository, "stop").code)
        self.open(1)
        self.assertEqual(0, self.finish(process).code)
        self.assertEqual("1\n", repository.show("t1.txt"))

    def test_stop_ends_agents_that_were_left_behind_and_resume_keeps_their_work(self):
        repository = self.place("limits: {attempts: 1}")
        scripts = [f"test $ATTEMPT = 2 || {{ echo half > t{n}.txt; {self.wait(n)}; }}\necho {n} > t{n}.txt" for n in (1, 2)]
        process = self.begin(repository, self.plan(*scripts), "--max-agents", "2")
        self.wait_until_at(repository, 1, 2)
        self.crash(process)
        told = self.bernstein(repository, "stop")
        self.assertEqual((0, "no Bernstein is at work here; ended 2 agents or checks: `bernstein resume` saves what they left "
                             "and tries their tasks again\n"), (told.code, told.out))  # fmt: skip
        self.assertEqual([], self.processes_in(self.directory))
        again = self.bernstein(repository, "stop")
        self.assertEqual((0, "no Bernstein is at work here; nothing is left to end\n"), (again.code, again.out))

        resumed = self.bernstein(repository, "resume")
        self.assertEqual(0, resumed.code, str(resumed))
        failed = {e["subject"]: (e["payload"]["class"], e["payload"]["why"]) for e in self.events(repository, "AttemptFailed")}
        ended = ("orchestrator", "the agent was ended: it was told to stop")
        self.assertEqual({"t1.1": ended, "t2.1": ended}, failed)
        for n in (1, 2):
            self.assertEqual("half\n", repository.show(f"t{n}.txt", f"refs/bernstein/salvage/r1/t{n}.1"))
        self.assert_landed(repository, 2)
        self.assert_sound(repository)

    def test_a_paused_run_starts_nothing_new_until_resume(self):
        repository = self.place()
        plan = self.plan(f"{self.wait(1)}\necho 1 > t1.txt", "echo 2 > t2.txt")
        process = self.begin(repository, plan, "--max-agents", "1", "--plain")
        self.wait_until_at(repository, 1)
        told = self.bernstein(repository, "pause")
        self.assertEqual((0, "nothing new starts until `bernstein resume`; what is in flight goes on\n"), (told.code, told.out))
        self.open(1)
        self.wait_for_events(repository, "WorktreeRemoved", "t1.1")
        self.assertIsNone(process.poll())
        self.assertEqual("ready", self.tasks(repository)["t2"]["status"])

        told = self.bernstein(repository, "resume")
        self.assertEqual((0, "r1 goes on, where it was started\n"), (told.code, told.out))
        result = self.finish(process)
        self.assertEqual(0, result.code, str(result))
        kinds = [e["type"] for e in self.events(repository, "RunPaused", "RunContinued", "TaskAssigned")]
        self.assertEqual(["TaskAssigned", "RunPaused", "RunContinued", "TaskAssigned"], kinds)
        self.assert_landed(repository, 2)
        self.assert_sound(repository)


class Orphans(Disturbed):
    def test_an_agent_that_nobody_takes_back_is_ended_by_its_supervisor_and_not_blamed(self):
        repository = self.place("limits: {attempts: 1, adopt_timeout: 2s}")
        script = f"test $ATTEMPT = 2 || {{ echo half > t1.txt; {self.wait(1)}; }}\necho 1 > t1.txt"
        process = self.begin(repository, self.plan(script))
        self.wait_until_at(repository, 1)
        pid = self.supervisors(repository)["t1.1"]
        self.crash(process)
        self.assertTrue(self.is_alive(pid))
        self.wait_until(lambda: not self.processes_in(self.directory), "its supervisor has ended it", seconds=10)

        resumed = self.bernstein(repository, "resume")
        self.assertEqual(0, resumed.code, str(resumed))
        exit = self.exits(repository)["t1.1"]
        self.assertEqual((True, "no Bernstein took it back in time"), (exit["stopped"], exit["why"]))
        failed = [(e["payload"]["class"], e["payload"]["why"]) for e in self.events(repository, "AttemptFailed")]
        self.assertEqual([("orchestrator", "the agent was ended: no Bernstein took it back in time")], failed)
        self.assertEqual("half\n", repository.show("t1.txt", "refs/bernstein/salvage/r1/t1.1"))
        self.assert_landed(repository, 1)
        self.assert_sound(repository)


class Owners(Disturbed):
    def test_one_that_wakes_up_after_another_took_over_does_nothing_more(self):
        repository = self.place()
        first = self.at_work(repository)
        before = self.supervisors(repository)
        first.send_signal(signal.SIGSTOP)
        self.addCleanup(first.send_signal, signal.SIGCONT)
        (repository.sdd / "lock").unlink()  # what a careless person does

        second = self.begin_command(repository, "resume", "--plain")
        self.wait_for_events(repository, "RunResumed")
        self.open(1)
        self.wait_for_events(repository, "MergeLanded", "t1.1")
        tip = repository.tip("main")
        head = len(self.events(repository))
        first.send_signal(signal.SIGCONT)
        woken = self.finish(first)
        self.assertEqual(75, woken.code, str(woken))
        self.assertIn(f"another Bernstein took over this workspace (pid {second.pid}); this one stops", woken.err)
        self.assertEqual(tip, repository.tip("main"))
        for event in self.events(repository)[head:]:  # what is new is of the second, which tidies up after the landing
            self.assertIn(event["type"], ("CheckoutSynced", "WorktreeRemoved"), event)

        self.open(2)
        result = self.finish(second)
        self.assertEqual(0, result.code, str(result))
        self.assertEqual(before, self.supervisors(repository))
        self.assertEqual(2, len(self.events(repository, "MergeLanded")))
        self.assertEqual(2, len(repository.git("rev-list", "--first-parent", "main").split()) - 2)
        self.assert_landed(repository, 2)
        self.assert_sound(repository)

    def test_only_the_run_that_is_at_work_is_called_running_and_the_other_waits_for_it(self):
        repository = self.place()
        self.end(self.at_work(repository, 1))  # r1 is left by a crash, its agents with it
        for file in self.directory.glob("here *"):
            file.unlink()
        process = self.begin(repository, self.plan(self.wait("other") + "\necho 2 > t2.txt"), name="other.yaml")
        self.wait_until((self.directory / "here other").exists, "the agent of r2 is at work")

        self.assertTrue(self.bernstein(repository, "status", "r2").out.splitlines()[1].startswith("running: "))
        status = self.bernstein(repository, "status", "r1")
        self.assertTrue(status.out.splitlines()[1].startswith("interrupted: "), str(status))
        refused = self.bernstein(repository, "resume", "r1")
        self.assertEqual(75, refused.code, str(refused))
        self.assertEqual(
            f"bernstein: r1 has to wait: another Bernstein is at work on r2, process {process.pid}; resume it when that one is "
            "done, or end that one with `bernstein stop`\n",
            refused.err,
        )
        self.assertEqual([], self.so_far(repository, "RunContinued", run="r2"))

    def test_resume_while_another_is_at_work_is_refused_with_its_pid(self):
        repository = self.place()
        process = self.at_work(repository, 1)
        before = len(self.events(repository))
        refused = self.bernstein(repository, "resume")
        self.assertEqual(75, refused.code, str(refused))
        self.assertEqual(f"bernstein: another Bernstein is at work on this workspace already: process {process.pid}\n", refused.err)
        self.assertEqual(before, len(self.events(repository)))
        self.open(1)
        self.assertEqual(0, self.finish(process).code)
        self.assert_landed(repository, 1)

    def test_a_run_is_refused_beside_living_agents_of_an_earlier_one(self):
        repository = self.place()
        process = self.at_work(repository)
        self.crash(process)
        before = len(self.events(repository))
        refused = self.run_plan(repository, ONE, expect=6, name="other.yaml")
        self.assertIn("r1 was left with 2 agents or checks at work: go on with `bernstein resume r1`, "
                      "or end them with `bernstein stop`\n", refused.err)  # fmt: skip
        self.assertEqual(before, len(self.rows(repository, "SELECT seq FROM events")))

        self.assertEqual(0, self.bernstein(repository, "stop").code)
        result = self.run_plan(repository, ONE, name="other.yaml")
        self.assertIn("note: r1 never came to its end; `bernstein resume r1` goes on with it\n", result.err)
        self.assertEqual("a\n", repository.show("a.txt"))
        self.open(1, 2)
        resumed = self.bernstein(repository, "resume", "r1")
        self.assertEqual(0, resumed.code, str(resumed))
        self.assert_landed(repository, 2)
        self.assert_sound(repository)


class Ended(Disturbed):
    def test_nothing_is_left_to_resume_of_a_run_that_came_to_its_end(self):
        for name, script, code, why in (
            ("landed", "echo 1 > t1.txt", 0, "all 1 task landed"),
            ("incomplete", "exit 1", 1, "0 of 1 task landed, 1 did not"),
        ):
            with self.subTest(name):
                repository = self.place("limits: {attempts: 1}", name=name)
                self.run_plan(repository, self.plan(script), expect=code)
                before = len(self.events(repository))
                resumed = self.bernstein(repository, "resume")
                self.assertEqual((code, f"r1 has ended: {why}; nothing is left to resume\n"), (resumed.code, resumed.out))
                as_json = self.bernstein(repository, "resume", "r1", "--json")
                self.assertEqual((code, name), (as_json.code, as_json.json()["outcome"]))
                self.assertEqual(before, len(self.events(repository)))
                self.assert_sound(repository)

    def test_where_no_run_was_there_is_nothing_to_resume(self):
        repository = self.place()
        nothing = self.bernstein(repository, "resume")
        self.assertEqual(6, nothing.code, str(nothing))
        self.assertEqual(f"bernstein: no runs yet: there is no .sdd in {repository.root}; start one with "
                         "`bernstein run plan.yaml`\n", nothing.err)  # fmt: skip
        self.assertFalse(repository.sdd.exists())
        self.run_plan(repository, ONE)
        unknown = self.bernstein(repository, "resume", "r7")
        self.assertEqual(2, unknown.code, str(unknown))
        self.assertIn("r7", unknown.err)

    def test_a_run_that_ran_out_of_money_goes_on_with_a_larger_budget(self):
        repository = self.repository()
        spender = self.script("spender", """
            cat > /dev/null
            echo "${1#t}" > "$1.txt"
            echo '{"cost": 0.4}'
            """)  # fmt: skip
        repository.write("bernstein.yaml", dedent(f"""
            agents:
              spender: {{command: ["{spender}", "{{task}}"], models: [only], usage: {{format: jsonl, cost_usd: /cost}}}}
            sandbox: off
            """))  # fmt: skip
        repository.commit("settings")
        plan = self.plan("x", "x", "x").replace("    description:", "    complexity: low\n        description:")
        self.run_plan(repository, plan, "--max-agents", "1", "--budget", "$0.50", expect=4)
        landed = len(self.events(repository, "MergeLanded"))
        self.assertEqual(1, landed, "$0.10 are left, and one like the second used $0.40")
        still = self.bernstein(repository, "resume")
        self.assertEqual(4, still.code, str(still))
        self.assertEqual(landed, len(self.events(repository, "MergeLanded")))
        resumed = self.bernstein(repository, "resume", "--budget", "5")
        self.assertEqual(0, resumed.code, str(resumed))
        self.assert_landed(repository, 3)
        self.assert_sound(repository)

    def test_a_run_whose_agent_program_went_missing_goes_on_when_it_is_installed(self):
        repository = self.place()
        program = self.directory / "bin dir/agent"
        plan = self.plan(f"mv '{program}' '{program}.away'\necho 1 > t1.txt", "echo 2 > t2.txt")
        result = self.run_plan(repository, plan, "--max-agents", "1", expect=6)
        self.assertIn(str(program), result.out + result.err)
        self.assertEqual("1\n", repository.show("t1.txt"))

        missing = self.bernstein(repository, "resume")
        self.assertEqual(6, missing.code, str(missing))
        self.assertIn(str(program), missing.err)
        os.rename(f"{program}.away", program)
        resumed = self.bernstein(repository, "resume")
        self.assertEqual(0, resumed.code, str(resumed))
        self.assert_landed(repository, 2)
        self.assert_sound(repository)


if __name__ == "__main__":
    unittest.main()
