"""cost and forecasts: real runs by scripted agents that tell what they used, and the reports on them."""

import unittest

from support import EndToEnd

TELLING = """
    usage: {format: jsonl, input_tokens: /in, cached_tokens: /cached, output_tokens: /out, cost_usd: /cost}
prices:
  large: {input: 5, cached: 0.50, output: 25}
"""

# The first task needs the stronger model, the second does not tell what it used, the third lands at once.
THREE = """
name: Three
stages:
  - name: all
    steps:
      - title: "Needs a second attempt"
        files: [one.txt]
        complexity: low
        description: |
          RUN: echo '{"in": 1000, "cached": 3000, "out": 100, "cost": 0.10}'
          RUN: test $ATTEMPT = 2
          RUN: date +%s%N > one.txt
      - title: "Says nothing"
        files: [two.txt]
        complexity: low
        role: docs
        description: "RUN: date +%s%N > two.txt"
      - title: "Lands at once"
        files: [three.txt]
        complexity: low
        description: |
          RUN: echo '{"in": 1000, "cached": 1000, "out": 100, "cost": 0.05}'
          RUN: date +%s%N > three.txt
"""

# A task that costs what it costs, to the cent.
ONE = """
name: One
stages: [{name: all, steps: [{title: One, files: [four.txt], complexity: low, estimated_minutes: 1, description: "RUN: %s"}]}]
"""
TELLS = "echo '{\\\"in\\\": 1000, \\\"out\\\": 100, \\\"cost\\\": 0.05}'; date +%s%N > four.txt"


class Costs(EndToEnd):
    def place(self, usage=TELLING):
        repository = self.repository()
        self.config(repository, "sandbox: off")
        text = repository.read("bernstein.yaml").replace("sandbox: off", "")
        repository.write("bernstein.yaml", text.rstrip() + usage + "sandbox: off\n")
        repository.commit("usage")
        return repository

    def cost(self, repository, *words):
        result = self.bernstein(repository, "cost", *words, "--json")
        self.assertEqual(0, result.code, str(result))
        return result.json()

    def rows(self, page, key):
        return {row[key]: row for row in page["by"]}

    def test_each_attempt_is_in_the_row_of_what_it_was(self):
        repository = self.place()
        self.run_plan(repository, THREE)

        page = self.cost(repository)
        models = self.rows(page, "model")
        self.assertEqual({"small", "large"}, set(models))
        self.assertEqual((3, 2, 0.6666), (models["small"]["attempts"], models["small"]["landed_tasks"],
                                          int(models["small"]["success_rate"] * 10_000) / 10_000))  # fmt: skip
        self.assertEqual(("tester", 1, 1, 1.0, 0.1),
                         tuple(models["large"][k] for k in ("agent", "attempts", "landed_tasks", "success_rate",
                                                            "cost_per_landed_usd")))  # fmt: skip
        self.assertEqual((0.25, 1), (page["total_usd"], page["unknown_attempts"]))
        self.assertIsNone(models["small"]["cost_per_landed_usd"], "one of its costs is unknown, and not 0")
        self.assertEqual({"unknown": 1, "reported": 2, "computed": 0, "estimated": 0}, models["small"]["cost_sources"])
        self.assertEqual(0.75, models["large"]["cached_share"])

        tasks = self.rows(self.cost(repository, "--by", "task"), "task")
        self.assertEqual((2, 1, 0.2), (tasks["t1"]["attempts"], tasks["t1"]["landed_tasks"], tasks["t1"]["cost_per_landed_usd"]))
        self.assertEqual((None, "Says nothing"), (tasks["t2"]["cost_usd"], tasks["t2"]["title"]))
        self.assertEqual({"backend", "docs"}, set(self.rows(self.cost(repository, "--by", "role"), "role")))
        self.assertEqual(["tester"], list(self.rows(self.cost(repository, "--by", "agent"), "agent")))
        self.assertEqual(1, len(self.cost(repository, "--by", "day")["by"]))

        # The same tokens at the price that bernstein.yaml has for one of the models.
        estimate = page["on_one_model"]
        self.assertEqual(["r1/t2.1"], estimate["left_out"])
        self.assertEqual([{"model": "large", "agent": "tester", "cost_usd": 0.026}], estimate["models"])
        self.assertEqual((3, 0.25), (estimate["attempts"], estimate["came_to_usd"]))

        # What stood in the log before anybody was assigned has cost nothing.
        self.assertEqual([], self.cost(repository, "--at", "4")["by"])

        text = self.bernstein(repository, "cost").out
        self.assertIn("an estimate: the same tokens and the same attempts; another model would use others", text)
        self.assertIn("1 attempt is left out, of unknown tokens: t2.1", text)
        self.assertIn("cannot be scored: the cost of 1 attempt is unknown", text)

    def test_a_price_makes_a_cost_of_tokens(self):
        usage = TELLING.replace(", cost_usd: /cost", "").replace("large:", "small: {input: 1, output: 10}\n  large:")
        repository = self.place(usage)
        self.run_plan(repository, ONE % TELLS)

        page = self.cost(repository)

        self.assertEqual(0.002, page["total_usd"])
        self.assertEqual(1, page["by"][0]["cost_sources"]["computed"])

    def test_forecasts_learn_from_runs_and_are_scored_after_the_next(self):
        repository = self.place()
        (self.directory / "one.yaml").write_text(ONE % TELLS, encoding="utf-8")
        plan = str(self.directory / "one.yaml")
        before = self.bernstein(repository, "run", plan, "--dry-run")
        self.assertIn("no history yet: prior of scope and complexity", before.out)

        for number in range(1, 5):
            self.run_plan(repository, ONE % TELLS)
            forecast = self.cost(repository)["forecast"]
            source = "no history yet: prior of scope and complexity"
            if number > 1:
                source = f"from {number - 1} attempt{'s' if number > 2 else ''} in this workspace"
            self.assertEqual(source, forecast["source"])
            cost = forecast["cost_usd"]
            self.assertEqual(0.05, cost["actual"])
            # By hand: Koenker and Bassett's loss at the three quantiles, and their mean.
            losses = [max(tau * (cost["actual"] - q), (tau - 1) * (cost["actual"] - q))
                      for tau, q in ((0.1, cost["low"]), (0.5, cost["mid"]), (0.9, cost["high"]))]  # fmt: skip
            for loss, told in zip(losses, (cost["pinball_at"][key] for key in ("10", "50", "90"))):
                self.assertAlmostEqual(loss, told, places=5)
            self.assertAlmostEqual(sum(losses) / 3, cost["pinball"], places=5)
            self.assertGreater(forecast["makespan_s"]["actual"], 0)

        after = self.bernstein(repository, "run", plan, "--dry-run", "--json").json()
        self.assertEqual(["tasks", "waves", "makespan_s", "cost_usd"], list(after))
        self.assertAlmostEqual(0.05, after["cost_usd"]["mid"], places=6, msg="four attempts of five cents")
        self.assertLess(after["makespan_s"]["mid"], 40, "it takes a second or less, not the estimated minute")
        self.assertIn("from 4 attempts in this workspace", self.bernstein(repository, "run", plan, "--dry-run").out)

        runs = self.cost(repository, "--by", "run")
        self.assertEqual(["r1", "r2", "r3", "r4"], [row["run"] for row in runs["by"]])
        each = [row["forecast"]["cost_usd"]["pinball"] for row in runs["by"]]
        self.assertAlmostEqual(sum(each) / 4, runs["forecast"]["mean_pinball"]["cost_usd"], places=5)
        self.assertLess(each[3], each[0], "the fourth forecast is better than the first")
        self.assertEqual((0.2, 4), (runs["total_usd"], runs["total"]["landed_tasks"]))

        # A run is forecast from what was known before it, however much came later.
        self.assertEqual(runs["by"][1]["forecast"], self.cost(repository, "r2")["forecast"])
        # One run by day or by run is asked for by its name; all runs by anything else, by --all.
        self.assertEqual(1, len(self.cost(repository, "r2", "--by", "run")["by"]))
        self.assertEqual(4, self.cost(repository, "--all")["by"][0]["attempts"])
        refused = self.bernstein(repository, "cost", "r2", "--all")
        self.assertEqual((2, "bernstein: a run and --all exclude each other; give one of them\n"), (refused.code, refused.err))
        typed = self.bernstein(repository, "cost", "--by", "modle")
        self.assertEqual((2, "bernstein: --by: 'modle' is no word of it; did you mean 'model'?\n"), (typed.code, typed.err))


if __name__ == "__main__":
    unittest.main()
