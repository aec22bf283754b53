"""run: twelve tasks in stages, retries, failures, ownership, dependents, and where things land."""

import json
import re
import shlex
import unittest

from support import EndToEnd, dedent

TWELVE = """
name: Twelve
stages:
  - name: files
    steps:
      - {title: "Alpha", files: [alpha.txt], description: "RUN: echo alpha > alpha.txt"}
      - {title: "Beta", files: [beta.txt], description: "RUN: echo beta > beta.txt"}
      - {title: "Gamma", files: ["src/gamma/"], description: "RUN: mkdir -p src/gamma; echo gamma > src/gamma/g.txt"}
      - {title: "First of two", files: [left.txt, right.txt], description: "RUN: echo first >> left.txt; echo first >> right.txt"}
      - {title: "Second of two", files: [right.txt, left.txt], description: "RUN: echo second >> left.txt; echo second >> right.txt"}
      - {title: "Größe ☃", files: ["größe ☃.txt"], description: "RUN: echo snow > 'größe ☃.txt'"}
  - name: code
    depends_on: [files]
    steps:
      - title: "Needs a second attempt"
        files: [answer.txt]
        description: "RUN: if [ $ATTEMPT = 1 ]; then echo 41 > answer.txt; else echo 42 > answer.txt; fi"
        completion_signals:
          - {type: test_passes, command: "echo the answer is $(cat answer.txt); grep -q 42 answer.txt"}
      - title: "Sees the first stage"
        files: [seen.txt]
        description: "RUN: cat alpha.txt beta.txt src/gamma/g.txt > seen.txt"
        completion_signals:
          - {type: file_contains, path: seen.txt, contains: gamma}
      - {title: "Delta", files: [delta.txt], description: "RUN: echo delta > delta.txt",
         completion_signals: [{type: path_exists, path: delta.txt}]}
      - {title: "Epsilon", files: [epsilon.txt], description: "RUN: echo epsilon > epsilon.txt",
         completion_signals: [{type: glob_exists, value: "*psilon.txt"}]}
  - name: docs
    depends_on: [code]
    steps:
      - {title: "Guide", files: ["docs/guide.md"], description: "RUN: mkdir -p docs; cat answer.txt seen.txt > docs/guide.md"}
      - {title: "Index", files: ["docs/index.md"], description: "RUN: mkdir -p docs; echo index > docs/index.md"}
"""


class TwelveTasks(EndToEnd):
    def test_twelve_tasks_in_three_stages_land_on_the_current_branch(self):
        repository = self.repository()
        self.config(repository, 'quality_gates: {readme: "test -f README.md"}')
        before = repository.tip()

        result = self.run_plan(repository, TWELVE, "--max-agents", "4", "--json")

        summary = result.json()
        self.assertEqual(("r1", "landed"), (summary["run"], summary["outcome"]))
        self.assertEqual([f"t{n}" for n in range(1, 13)], [task["id"] for task in summary["tasks"]])
        self.assertEqual({"landed"}, {task["status"] for task in summary["tasks"]})
        self.assertEqual(2, summary["tasks"][6]["attempts"])
        self.assertEqual([1], sorted({task["attempts"] for n, task in enumerate(summary["tasks"]) if n != 6}))
        self.assertIsNone(summary["cost_usd"], "the agent did not tell, so it is unknown and not 0")
        self.assertEqual(len(self.events(repository)), summary["events"])

        # A merge commit for each on the first-parent line, newest first.
        merges = repository.git("rev-list", "--first-parent", f"{before}..main").split()
        self.assertEqual(12, len(merges))
        self.assertEqual({task["commit"] for task in summary["tasks"]}, set(merges))
        landed = {event["subject"]: event for event in self.events(repository, "MergeLanded")}
        for commit in merges:
            trailers = self.trailers(repository, commit)
            self.assertEqual("r1", trailers["Bernstein-Run"])
            task = trailers["Bernstein-Task"]
            self.assertEqual(commit, summary["tasks"][int(task[1:]) - 1]["commit"])
            self.assertEqual(2, len(repository.git("log", "-1", "--format=%P", commit).split()))
            intent = int(trailers["Bernstein-Event"].split()[0])
            event = [e for e in self.events(repository) if e["seq"] == intent][0]
            self.assertEqual("CandidateRequested", event["type"])
            self.assertEqual(commit, landed[event["subject"]]["payload"]["commit"])

        # What is in the tree.
        self.assertEqual("alpha\nbeta\ngamma\n", repository.show("seen.txt"))
        self.assertEqual("42\nalpha\nbeta\ngamma\n", repository.show("docs/guide.md"))
        self.assertEqual("snow\n", repository.show("größe ☃.txt"))
        self.assertEqual(["first", "second"], sorted(repository.show("left.txt").split()))
        self.assertEqual(repository.show("left.txt"), repository.show("right.txt"))

        # The repository is sound, the checkout follows, nothing is left behind.
        self.assertEqual("", repository.git("fsck", "--strict", "--no-dangling", "--no-progress"))
        self.assertEqual([], repository.status())
        self.assertEqual("refs/heads/main", repository.git("symbolic-ref", "HEAD"))
        self.assertEqual("42\n", repository.read("answer.txt"))
        self.assertEqual(["refs/heads/main"], repository.refs("refs/heads"))
        self.assert_nothing_left(repository)

        # Two that want the same files were never in flight together; four were at most.
        self.assert_never_together(repository, "t4", "t5")
        self.assertLessEqual(self.most_in_flight(repository), 4)

        # And all of it can be derived again.
        replay = self.bernstein(repository, "replay", "r1", "--json")
        self.assertEqual(0, replay.code, str(replay))
        self.assertEqual((0, None), (replay.json()["divergences"], replay.json()["first_divergence"]))
        audit = self.bernstein(repository, "audit", "--json")
        self.assertEqual((0, True), (audit.code, audit.json()["ok"]), str(audit))

    def assert_never_together(self, repository, one, other):
        spans = []
        for task in (one, other):
            events = [e for e in self.events(repository) if e["subject"].split(".")[0] == task]
            assigned = [e["seq"] for e in events if e["type"] == "TaskAssigned"]
            ended = [e["seq"] for e in events if e["type"] in ("MergeLanded", "AttemptFailed")]
            spans.append((min(assigned), max(ended)))
        spans.sort()
        self.assertLess(spans[0][1], spans[1][0])

    def most_in_flight(self, repository):
        most = busy = 0
        for event in self.events(repository, "TaskAssigned", "AgentExited"):
            busy += 1 if event["type"] == "TaskAssigned" else -1
            most = max(most, busy)
        return most


class Worktrees(EndToEnd):
    PLAN = """
    stages:
      - name: all
        steps:
          - {title: "One", files: [one.txt], description: "RUN: cat made/tool.txt > one.txt; echo changed > made/tool.txt"}
          - {title: "Two", files: [two.txt], description: "RUN: cat made/tool.txt > two.txt"}
    """

    def set_up(self, inputs=""):
        repository = self.repository()
        counter = self.directory / "counter"
        command = f"mkdir made && echo tool > made/tool.txt && echo x >> {shlex.quote(str(counter))}"
        self.config(repository, f"max_agents: 1\nsandbox: auto\nworktree_setup: {{setup_command: {json.dumps(command)}{inputs}}}")
        repository.write(".gitignore", "made/\n")
        repository.write("package-lock.json", "{}\n")
        repository.commit("a lock file")
        self.run_plan(repository, self.PLAN)
        self.assertEqual(("tool\n", "tool\n"), (repository.show("one.txt"), repository.show("two.txt")))
        self.assert_nothing_left(repository)
        setups = [event["payload"]["setup"] for event in self.events(repository, "WorktreeReady")]
        return repository, setups, counter.read_text().count("x")

    def test_a_setup_command_runs_once_for_the_same_inputs(self):
        repository, setups, runs = self.set_up()
        self.assertEqual((["ran", "reused"], 1), (setups, runs))
        clean = self.bernstein(repository, "clean")
        self.assertIn("removed pool ", clean.out)
        self.assertIn("removed setup ", clean.out)
        self.assertEqual("nothing to remove\n", self.bernstein(repository, "clean").out)

    def test_a_setup_command_without_inputs_runs_each_time(self):
        repository, setups, runs = self.set_up(", inputs: []")
        self.assertEqual((["ran", "ran"], 2), (setups, runs))


class Attempts(EndToEnd):
    def test_a_failed_check_is_tried_again_with_its_output_in_the_prompt(self):
        repository = self.repository()
        self.config(repository)
        plan = """
        stages:
          - name: one
            steps:
              - title: "Count"
                files: [n.txt]
                description: |
                  Write the number.
                  RUN: echo $ATTEMPT > n.txt
                completion_signals:
                  - {type: test_passes, command: "echo expected 2 but found $(cat n.txt); test $(cat n.txt) = 2"}
        """
        self.run_plan(repository, plan)
        self.assertEqual("2\n", repository.show("n.txt"))
        first, second = self.prompt(repository, "t1.1"), self.prompt(repository, "t1.2")
        self.assertIn("Write the number.\n", first)
        self.assertNotIn("expected 2 but found", first.replace("echo expected 2 but found", ""))
        self.assertIn("Write the number.\n", second)
        self.assertIn("expected 2 but found 1", second)
        verdicts = [(e["subject"], e["payload"]["verdict"]) for e in self.events(repository, "VerdictReached")]
        self.assertEqual([("t1.1", "failed"), ("t1.2", "passed")], verdicts)

    def test_after_the_last_attempt_the_task_fails_its_work_is_kept_and_dependents_are_blocked(self):
        repository = self.repository()
        self.config(repository, "limits: {attempts: 2}")
        plan = """
        stages:
          - name: one
            steps:
              - title: "Never right"
                id: wrong
                files: [wrong.txt]
                description: "RUN: echo attempt $ATTEMPT > wrong.txt"
                completion_signals: [{type: test_passes, command: "false"}]
              - {title: "Needs it", depends_on: [wrong], files: [x.txt], description: "RUN: echo x > x.txt"}
              - {title: "Does not", files: [y.txt], description: "RUN: echo y > y.txt"}
          - name: two
            depends_on: [one]
            steps:
              - {title: "Needs the stage", files: [z.txt], description: "RUN: echo z > z.txt"}
        """
        result = self.run_plan(repository, plan, expect=1)

        tasks = self.tasks(repository)
        self.assertEqual(
            {"t1": "failed", "t2": "blocked", "t3": "landed", "t4": "blocked"},
            {name: row["status"] for name, row in tasks.items()},
        )
        self.assertEqual(2, tasks["t1"]["attempts"])
        self.assertEqual("attempt 2\n", repository.show("wrong.txt", "refs/bernstein/salvage/r1/t1.2"))
        self.assertEqual("attempt 1\n", repository.show("wrong.txt", "refs/bernstein/salvage/r1/t1.1"))
        self.assertIsNone(repository.show("wrong.txt"))
        self.assertEqual("y\n", repository.read("y.txt"))
        self.assertIn("refs/bernstein/salvage/r1/t1.2", result.out)
        self.assertIn("failed  t1 Never right", result.out)
        self.assertIn("blocked  t2 Needs it", result.out)
        self.assertIn("bernstein why r1/t1", result.out)
        self.assert_nothing_left(repository)

    def test_an_agent_that_exits_with_an_error_or_changes_nothing_uses_up_attempts(self):
        repository = self.repository()
        self.config(repository, "limits: {attempts: 2}")
        plan = """
        stages:
          - name: one
            steps:
              - {title: "Fails once", files: [a.txt], description: "RUN: echo a > a.txt; test $ATTEMPT = 2 || exit 7"}
              - {title: "Idle", files: [b.txt], description: "nothing to do"}
        """
        self.run_plan(repository, plan, expect=1)
        self.assertEqual("a\n", repository.show("a.txt"))
        why = {e["subject"]: e["payload"]["why"] for e in self.events(repository, "AttemptFailed")}
        self.assertEqual("the agent exited with 7", why["t1.1"])
        self.assertEqual("the agent changed nothing", why["t2.1"])
        self.assertEqual("failed", self.tasks(repository)["t2"]["status"])

    def test_what_an_agent_committed_itself_lands_together_with_what_it_left(self):
        repository = self.repository()
        self.config(repository)
        plan = """
        stages:
          - name: one
            steps:
              - title: "Both"
                files: [a.txt, b.txt]
                description: |
                  RUN: echo a > a.txt; git add a.txt; git -c user.name=x -c user.email=x@x commit -qm mine; echo b > b.txt
        """
        self.run_plan(repository, plan)
        self.assertEqual(("a\n", "b\n"), (repository.show("a.txt"), repository.show("b.txt")))

    def test_work_that_no_check_looked_at_is_called_unverified(self):
        repository = self.repository()
        self.config(repository)
        plan = """
        stages:
          - name: one
            steps:
              - {title: "Unchecked", files: [a.txt], description: "RUN: echo a > a.txt"}
              - {title: "Checked", files: [b.txt], description: "RUN: echo b > b.txt",
                 completion_signals: [{type: path_exists, path: b.txt}]}
        """
        result = self.run_plan(repository, plan)
        self.assertIn("unverified  t1 Unchecked", result.out)
        self.assertNotIn("unverified  t2", result.out)

    def test_usage_that_the_agent_tells_is_summed_and_the_budget_ends_the_run(self):
        repository = self.repository()
        agent = """
        cat > /dev/null
        echo "$1" > "$1.txt"
        echo '{"usage": {"in": 100, "out": 20}, "cost": 0.4}'
        """
        path = self.script("spender", agent)
        repository.write("bernstein.yaml", dedent(f"""
            agents:
              spender:
                command: [{json.dumps(path, ensure_ascii=False)}, "{{task}}"]
                models: [only]
                usage: {{format: jsonl, input_tokens: /usage/in, output_tokens: /usage/out, cost_usd: /cost}}
            """))  # fmt: skip
        repository.commit("settings")
        steps = "\n".join(
            f'              - {{title: "Task {n}", complexity: low, files: [t{n}.txt], description: "d"}}' for n in range(1, 6)
        )
        plan = f"""
        stages:
          - name: one
            steps:
{steps}
        """
        result = self.run_plan(repository, plan, "--max-agents", "1", "--budget", "$0.90", "--json", expect=4)
        summary = result.json()
        self.assertEqual("budget", summary["outcome"])
        landed = [task for task in summary["tasks"] if task["status"] == "landed"]
        self.assertTrue(1 <= len(landed) < 5, summary)
        self.assertAlmostEqual(0.4 * len(landed), summary["cost_usd"])
        self.assertTrue(all(task["cost_usd"] == 0.4 for task in landed))
        rows = self.rows(repository, "SELECT sum(cost_micros) AS cost, sum(input_tokens) AS tokens FROM costs")
        self.assertEqual([{"cost": 400000 * len(landed), "tokens": 100 * len(landed)}], rows)


class Order(EndToEnd):
    def test_a_dependent_starts_after_the_landing_and_sees_it_in_its_base(self):
        repository = self.repository()
        self.config(repository)
        plan = """
        stages:
          - name: one
            steps:
              - {title: "Source", id: source, files: [source.txt], description: "RUN: echo from the source > source.txt"}
              - {title: "Copy", depends_on: [source], files: [copy.txt], description: "RUN: cat source.txt > copy.txt"}
        """
        self.run_plan(repository, plan)
        self.assertEqual("from the source\n", repository.show("copy.txt"))
        landed = [e for e in self.events(repository, "MergeLanded") if e["subject"] == "t1.1"][0]
        requested = [e for e in self.events(repository, "WorktreeRequested") if e["subject"] == "t2.1"][0]
        self.assertLess(landed["seq"], requested["seq"])
        self.assertEqual(landed["payload"]["commit"], requested["payload"]["base"])

    def test_a_change_of_a_path_that_a_task_in_flight_owns_goes_back_and_lands_later(self):
        repository = self.repository()
        self.config(repository)
        gate = self.directory / "go"
        plan = f"""
        stages:
          - name: one
            steps:
              - title: "Oversteps"
                files: [mine.txt]
                description: "RUN: echo mine > mine.txt; echo overstep >> theirs.txt"
              - title: "Owner"
                files: [theirs.txt]
                description: |
                  RUN: while [ ! -e '{gate}' ]; do sleep 0.02; done; echo owner >> theirs.txt
        """
        file = self.directory / "plan.yaml"
        file.write_text(dedent(plan), encoding="utf-8")
        process = self.start(repository, "run", str(file), "--max-agents", "2")
        database = repository.sdd / "state.db"
        self.wait_until(
            lambda: database.exists() and database.stat().st_size > 0 and self.failed_attempts(repository) == ["t1.1"],
            "the overstepping attempt is sent back",
        )
        gate.write_text("")
        result = self.finish(process)

        self.assertEqual(0, result.code, str(result))
        failed = self.events(repository, "AttemptFailed")[0]["payload"]
        self.assertEqual(["theirs.txt"], failed["paths"])
        self.assertIn("theirs.txt", failed["why"])
        self.assertIn("t2 'Owner'", failed["why"])
        self.assertIn("theirs.txt", self.prompt(repository, "t1.2"))
        self.assertEqual("owner\noverstep\n", repository.show("theirs.txt"))
        self.assertEqual("mine\n", repository.show("mine.txt"))
        assigned = [e for e in self.events(repository, "TaskAssigned") if e["subject"] == "t1.2"][0]
        self.assertIn("theirs.txt", assigned["payload"]["owned"])

    def failed_attempts(self, repository):
        try:
            return [e["subject"] for e in self.events(repository, "AttemptFailed")]
        except Exception:  # the database is being made
            return []

    def test_a_path_outside_its_files_that_nobody_owns_is_granted(self):
        repository = self.repository()
        self.config(repository)
        plan = """
        stages:
          - name: one
            steps:
              - {title: "Wanders", files: [a.txt], description: "RUN: echo a > a.txt; echo b > extra.txt"}
        """
        self.run_plan(repository, plan)
        self.assertEqual("b\n", repository.show("extra.txt"))
        self.assertEqual([["extra.txt"]], [e["payload"]["paths"] for e in self.events(repository, "PathsGranted")])


ONE = """
stages:
  - name: one
    steps:
      - {title: "One file", files: [a.txt], description: "RUN: echo a > a.txt"}
"""


class Landing(EndToEnd):
    def test_a_dirty_checkout_is_left_alone_and_the_printed_command_brings_it_up(self):
        repository = self.repository()
        self.config(repository)
        repository.write("README.md", "A project.\nAn edit of mine.\n")
        result = self.run_plan(repository, ONE)

        self.assertEqual("a\n", repository.show("a.txt", "main"))
        self.assertFalse((repository.root / "a.txt").exists())
        self.assertEqual("A project.\nAn edit of mine.\n", repository.read("README.md"))
        self.assertIn("your checkout was left alone", result.out)
        command = re.search(r"git (read-tree .*)", result.out).group(1)
        repository.git(*command.split())
        self.assertEqual([" M README.md"], [line.rstrip() for line in self.raw_status(repository)])
        self.assertEqual("a\n", repository.read("a.txt"))

    def raw_status(self, repository):
        import subprocess

        out = subprocess.run(["git", "-C", str(repository.root), "status", "--porcelain"], env=self.environment,
                             capture_output=True, text=True).stdout  # fmt: skip
        return out.splitlines()

    def test_an_untracked_file_in_the_way_is_not_overwritten(self):
        repository = self.repository()
        self.config(repository)
        repository.write("a.txt", "my own notes\n")
        result = self.run_plan(repository, ONE)
        self.assertEqual("a\n", repository.show("a.txt", "main"))
        self.assertEqual("my own notes\n", repository.read("a.txt"))
        self.assertIn("your checkout was left alone", result.out)

    def test_another_branch_is_landed_on_without_touching_the_checkout(self):
        repository = self.repository()
        self.config(repository)
        repository.git("branch", "next")
        main = repository.tip("main")
        self.run_plan(repository, ONE, "--target", "next")
        self.assertEqual("a\n", repository.show("a.txt", "next"))
        self.assertEqual(main, repository.tip("main"))
        self.assertEqual([], repository.status())
        self.assertFalse((repository.root / "a.txt").exists())

    def test_a_detached_head_works_with_a_target(self):
        repository = self.repository()
        self.config(repository)
        repository.git("checkout", "-q", "--detach")
        self.run_plan(repository, ONE, "--target", "main")
        self.assertEqual("a\n", repository.show("a.txt", "main"))

    def test_a_run_may_be_started_below_the_root_with_a_plan_relative_to_there(self):
        repository = self.repository()
        self.config(repository)
        repository.write("deep er/plan.yaml", ONE.lstrip())
        repository.commit("plan")
        result = self.bernstein(repository, "run", "plan.yaml", directory=repository.root / "deep er")
        self.assertEqual(0, result.code, str(result))
        self.assertEqual("a\n", repository.read("a.txt"))
        self.assertTrue(repository.sdd.is_dir())
        result = self.bernstein(repository, "-C", "deep er", "status", "--json")
        self.assertEqual("landed", result.json()["outcome"])

    def test_a_plan_may_come_from_standard_input(self):
        repository = self.repository()
        self.config(repository)
        result = self.bernstein(repository, "run", "-", stdin=ONE)
        self.assertEqual(0, result.code, str(result))
        self.assertEqual("a\n", repository.read("a.txt"))

    def test_a_commit_of_the_person_during_the_run_stays_and_the_work_lands_on_top(self):
        repository = self.repository()
        self.config(repository)
        gate = self.directory / "go"
        plan = f"""
        stages:
          - name: one
            steps:
              - title: "Slow"
                files: [a.txt]
                description: |
                  RUN: while [ ! -e '{gate}' ]; do sleep 0.02; done; echo a > a.txt
        """
        file = self.directory / "plan.yaml"
        file.write_text(dedent(plan), encoding="utf-8")
        process = self.start(repository, "run", str(file))
        self.wait_until(lambda: (self.directory / "script.t1.1").exists(), "the agent is at work")
        repository.write("mine.txt", "mine\n")
        mine = repository.commit("mine")
        gate.write_text("")
        result = self.finish(process)
        self.assertEqual(0, result.code, str(result))
        self.assertEqual(mine, repository.tip("main^1"))
        self.assertEqual(("a\n", "mine\n"), (repository.read("a.txt"), repository.read("mine.txt")))
        self.assertEqual([], repository.status())

    def test_the_workspace_hides_itself_and_is_for_its_owner(self):
        repository = self.repository()
        self.config(repository)
        self.run_plan(repository, ONE)
        self.assertEqual("*\n", (repository.sdd / ".gitignore").read_text())
        self.assertEqual(0o700, repository.sdd.stat().st_mode & 0o777)
        self.assertEqual([], repository.status())

    def test_runs_are_numbered_and_an_earlier_one_stays(self):
        repository = self.repository()
        self.config(repository)
        self.run_plan(repository, ONE)
        self.run_plan(repository, ONE.replace("a.txt", "b.txt").replace("echo a", "echo b"))
        rows = self.rows(repository, "SELECT run, outcome, tasks, landed, failed FROM runs ORDER BY run")
        self.assertEqual([("r1", "landed", 1, 1, 0), ("r2", "landed", 1, 1, 0)], [tuple(row.values()) for row in rows])
        self.assertEqual(0, self.bernstein(repository, "audit").code)


class Stopping(EndToEnd):
    def test_one_interrupt_finishes_what_is_in_flight_and_starts_nothing_new(self):
        repository = self.repository()
        self.config(repository)
        gate = self.directory / "go"
        plan = f"""
        stages:
          - name: one
            steps:
              - title: "In flight"
                files: [a.txt]
                description: |
                  RUN: while [ ! -e '{gate}' ]; do sleep 0.02; done; echo a > a.txt
              - {{title: "Not started", files: [b.txt], description: "RUN: echo b > b.txt"}}
        """
        file = self.directory / "plan.yaml"
        file.write_text(dedent(plan), encoding="utf-8")
        process = self.start(repository, "run", str(file), "--max-agents", "1")
        self.wait_until(lambda: (self.directory / "script.t1.1").exists(), "the agent is at work")
        self.interrupt(process)
        self.wait_until(lambda: self.events(repository, "StopRequested"), "the stop is recorded")
        gate.write_text("")
        result = self.finish(process)
        self.assertEqual(5, result.code, str(result))
        self.assertEqual("a\n", repository.show("a.txt"))
        self.assertIsNone(repository.show("b.txt"))
        self.assert_nothing_left(repository)

    def test_two_interrupts_leave_the_agents_at_work_and_a_resume_takes_them_back(self):
        repository = self.repository()
        self.config(repository)
        plan = """
        stages:
          - name: one
            steps:
              - {title: "Endless", files: [a.txt], description: "RUN: echo half > a.txt; while ! test -e go; do sleep 0.05; done; rm go"}
        """
        file = self.directory / "plan.yaml"
        file.write_text(dedent(plan), encoding="utf-8")
        process = self.start(repository, "run", str(file))
        worktree = repository.sdd / "worktrees" / "session-r1-t1.1" / "a.txt"
        self.wait_until(worktree.exists, "the agent has written")
        self.interrupt(process)
        self.wait_until(lambda: self.events(repository, "StopRequested"), "the stop is recorded")
        self.interrupt(process)
        result = self.finish(process)
        self.assertEqual(5, result.code, str(result))
        self.assertIn("1 agent or check goes on alone for up to 15m", result.out)
        self.assertEqual([], self.events(repository, "AgentExited", "RunFinished"))
        self.assertTrue(self.processes_in(worktree.parent), "the agent is at work")
        (worktree.parent / "go").touch()
        result = self.bernstein(repository, "resume")
        self.assertEqual(0, result.code, str(result))
        self.assertEqual("half\n", repository.show("a.txt"))
        self.assertEqual(1, len(self.events(repository, "AgentStarted")), "it was not started again")
        self.assert_nothing_left(repository)


class DryRun(EndToEnd):
    def test_a_dry_run_shows_routes_waves_and_estimates_and_changes_nothing(self):
        repository = self.repository()
        self.config(repository)
        before, refs = repository.fingerprint(), repository.refs()
        result = self.run_plan(repository, TWELVE, "--dry-run", "--max-agents", "4", "--json")
        self.assertEqual((before, refs), (repository.fingerprint(), repository.refs()))
        plan = result.json()
        self.assertEqual(["tasks", "waves", "makespan_s", "cost_usd"], list(plan))
        self.assertEqual(
            ["id", "title", "role", "files", "depends_on", "agent", "model", "why"], list(plan["tasks"][0])
        )
        self.assertEqual(["t1", "t2", "t3", "t4", "t5", "t6"], plan["tasks"][6]["depends_on"])
        self.assertEqual(["left.txt", "right.txt"], plan["tasks"][4]["files"])
        waves = plan["waves"]
        self.assertEqual([f"t{n}" for n in range(1, 13)], sorted(sum(waves, []), key=lambda t: int(t[1:])))
        self.assertTrue(all(len(wave) <= 4 for wave in waves))
        at = {task: n for n, wave in enumerate(waves) for task in wave}
        self.assertNotEqual(at["t4"], at["t5"])
        for task in plan["tasks"]:
            for needed in task["depends_on"]:
                self.assertLess(at[needed], at[task["id"]])
        for estimate in (plan["makespan_s"], plan["cost_usd"]):
            self.assertTrue(0 < estimate["low"] < estimate["mid"] < estimate["high"])

    def test_a_dry_run_for_people_calls_its_estimates_estimates(self):
        repository = self.repository()
        self.config(repository)
        result = self.run_plan(repository, ONE, "--dry-run")
        self.assertIn("estimated time", result.out)
        self.assertIn("t1    One file", result.out)
        self.assertIn("no check: it would land unverified", result.out)
        self.assertIn("nothing was started or changed", result.out)
        self.assertFalse(repository.sdd.exists())


if __name__ == "__main__":
    unittest.main()
