#!/usr/bin/env python3
"""Budgets of tokens and money, and ceilings of single tasks: what ends a run, what ends a task, and what goes on."""

import json
import unittest

from support import EndToEnd, dedent

# Tells 400 tokens in, 100 out, 9,000 from a cache, and 30 cents, for whatever it did.
SPENDER = """
cat > /dev/null
echo "$1" > "$1.txt"
echo '{"in": 400, "out": 100, "cached": 9000, "cost": 0.3}'
"""


class Budget(EndToEnd):
    def place(self, more="", script=SPENDER):
        repository = self.repository()
        path = json.dumps(self.script("spender", script), ensure_ascii=False)
        repository.write("bernstein.yaml", dedent(f"""
            agents:
              spender:
                command: [{path}, "{{task}}"]
                models: [only]
                usage: {{format: jsonl, sum: true, input_tokens: /in, output_tokens: /out, cached_tokens: /cached, cost_usd: /cost}}
            sandbox: off
            """) + dedent(more))  # fmt: skip
        repository.commit("settings")
        return repository

    def plan(self, *keys, count=3, top=""):
        lines = [top] if top else []
        lines += ["stages:", "  - name: one", "    steps:"]
        for number in range(1, count + 1):
            lines += [f"      - title: Task {number}", f"        files: [t{number}.txt]", "        complexity: low"]
            lines += [f"        {key}" for key in keys]
        return "\n".join(lines) + "\n"

    def assert_landed(self, repository, *tasks):
        landed = [name for name, task in self.tasks(repository).items() if task["status"] == "landed"]
        self.assertEqual(list(tasks), landed)

    def test_a_run_that_used_up_its_tokens_goes_on_with_more(self):
        repository = self.place("budget_tokens: 150k")
        self.run_plan(repository, self.plan(), "--max-agents", "1", "--budget-tokens", "15.5k", expect=4)
        # 15.5k are left for the first, 15k for the second, which is just a tenth of 150k, and 14.5k for nobody.
        self.assert_landed(repository, "t1", "t2")
        reserved = [event["payload"]["reserved_tokens"] for event in self.events(repository, "TaskAssigned")]
        self.assertEqual([15500, 15000], reserved)
        end = self.events(repository, "RunFinished")[-1]["payload"]
        self.assertEqual("budget", end["outcome"])
        self.assertEqual("the budget of 15.5k tokens does not allow another attempt: 1k spent; "
                         "`bernstein resume r1 --budget-tokens 151k` lets t3 start", end["why"])  # fmt: skip

        still = self.bernstein(repository, "resume")
        self.assertEqual(4, still.code, str(still))
        wrong = self.bernstein(repository, "resume", "--budget-tokens", "more")
        self.assertEqual(2, wrong.code, str(wrong))
        self.assertIn("--budget-tokens: 'more' is not a number of tokens; write it like 5M", wrong.err)
        resumed = self.bernstein(repository, "resume", "r1", "--budget-tokens", "151k")
        self.assertEqual(0, resumed.code, str(resumed))
        self.assert_landed(repository, "t1", "t2", "t3")
        self.assert_sound(repository)

    def test_the_remedy_for_a_budget_of_money_works_as_it_is_written(self):
        repository = self.place()
        self.run_plan(repository, self.plan(count=2), "--max-agents", "1", "--budget", "$0.30", expect=4)
        why = self.events(repository, "RunFinished")[-1]["payload"]["why"]
        command = why.split("`")[1].split()
        self.assertEqual("bernstein", command[0])
        resumed = self.bernstein(repository, *command[1:])
        self.assertEqual(0, resumed.code, why + str(resumed))
        self.assert_landed(repository, "t1", "t2")

    def test_a_plan_has_a_budget_of_tokens_and_a_step_one_of_money(self):
        repository = self.place('limits: {task_cost: "$5"}')
        plan = self.plan('budget: "$0.20"', count=1, top="budget_tokens: 2M")
        self.run_plan(repository, plan)
        started = self.events(repository, "RunStarted")[0]["payload"]["config"]
        self.assertEqual(2_000_000, started["budget_tokens"])
        self.assertEqual(5_000_000, started["limits"]["task_cost_micros"])
        assigned = self.events(repository, "TaskAssigned")[0]["payload"]
        self.assertEqual(200_000, assigned["reserved_micros"])

    def test_a_task_that_used_up_its_own_ceiling_fails_and_the_others_land(self):
        failing = SPENDER + 'test "$1" != t1\n'
        repository = self.place('limits: {task_cost: "$0.31"}', failing)
        result = self.run_plan(repository, self.plan(), expect=1)
        self.assert_landed(repository, "t2", "t3")
        failed = self.events(repository, "TaskFailed")
        self.assertEqual(["t1"], [event["subject"] for event in failed])
        self.assertIn("its attempts have used $0.30 of the $0.31 that it may cost", failed[0]["payload"]["why"])
        self.assertIn("that it may cost", result.out)
        again = self.bernstein(repository, "retry", "t1")
        self.assertEqual(1, again.code, str(again))
        self.assertEqual(2, len([event for event in self.events(repository, "TaskAssigned") if event["subject"].startswith("t1.")]))
        self.assert_sound(repository)

    def test_what_an_agent_told_before_it_was_ended_is_an_estimate(self):
        hanging = """
            cat > /dev/null
            echo '{"in": 400, "out": 100, "cost": 0.02}'
            echo '{"in": 100, "out": 10, "cost": 0.01}'
            exec sleep 1000
            """  # fmt: skip
        repository = self.place("limits: {agent_timeout: 1s, attempts: 1}", hanging)
        self.run_plan(repository, self.plan(count=1), expect=1)
        rows = self.rows(repository, "SELECT cost_micros, cost_source, input_tokens, output_tokens FROM attempts")
        estimate = {"cost_micros": 30_000, "cost_source": "estimated", "input_tokens": 500, "output_tokens": 110}
        self.assertEqual([estimate], rows)

    def test_amounts_that_are_none_are_refused(self):
        repository = self.place()
        text = "--budget-tokens: '5MB' is not a number of tokens; write it like 5M, 150k or 2000000"
        self.refused(repository, self.plan(), "--budget-tokens", "5MB", text=text)
        self.refused(repository, self.plan("budget: lots"), text="has 'lots' for 'budget'")
        self.refused(repository, self.plan(top="budget_tokens: lots"), text="has 'lots' for 'budget_tokens'")


if __name__ == "__main__":
    unittest.main()
