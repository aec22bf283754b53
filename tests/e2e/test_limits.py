"""Limits of services: agents that are refused until a moment that their service names, and a Bernstein that is killed then."""

import json
import unittest

from support import OBEDIENT, Disturbed, dedent

# Its service is closed from the first call on, for so many seconds; whoever comes before that is refused.
LIMITED = """
until="$TMPDIR/$4 opens"
[ -e "$until" ] || echo $(($(date +%s) + $5)) > "$until"
if [ "$(date +%s)" -lt "$(cat "$until")" ]; then
  echo "$1.$2" >> "$TMPDIR/$4 refused"
  echo "usage limit reached|$(cat "$until")"
  exit 75
fi
"""


class Storm(Disturbed):
    def limited(self, agents, more=""):
        """A repository with these agents: name → (credential, seconds for which its service is closed)."""
        repository = self.repository()
        path = self.script("agent", (LIMITED + OBEDIENT).replace("$TMPDIR", str(self.directory)))
        entries = {
            name: {
                "command": [path, "{task}", "{attempt}", "{model}", credential, str(seconds)],
                "models": {"only": "one"},
                "credential": credential,
                "failures": [{"exit": 75, "outcome": "quota"}],
            }
            for name, (credential, seconds) in agents.items()
        }
        arms = [f"{name}/only" for name in agents]
        repository.write("bernstein.yaml", f"sandbox: 'off'\nagents: {json.dumps(entries)}\n"
                         f"routing: {{arms: {json.dumps(arms)}}}\n{dedent(more)}")  # fmt: skip
        repository.commit("settings")
        return repository

    def eight(self):
        return self.plan(*[f"echo {n} > t{n}.txt" for n in range(1, 9)])

    def test_all_tasks_land_after_the_resets_though_bernstein_is_killed_in_between(self):
        repository = self.limited({"a": ("a", 2), "b": ("b", 3), "c": ("c", 4)}, "limits: {attempts: 1, quota_wait: 1s}")
        process = self.begin(repository, self.eight(), "--max-agents", "4")
        self.wait_for_events(repository, "ParkRequested")
        self.crash(process)
        status = self.bernstein(repository, "status", "--json").json()
        self.assertEqual("interrupted", status["outcome"])
        self.assertTrue(status["waiting"], "what a resume waits for is shown")

        resumed = self.bernstein(repository, "resume", "--plain")
        self.assertEqual(0, resumed.code, str(resumed))
        self.assert_landed(repository, 8)
        self.assertEqual({"quota"}, {e["payload"]["class"] for e in self.events(repository, "AttemptFailed")})
        parks = self.events(repository, "ParkRequested")
        self.assertLessEqual(len(parks), 6, "two for each reset at most")
        ended = {e["cause"]: e["wall_us"] for e in self.events(repository, "ParkEnded")}
        for park in parks:
            lasted = ended.get(park["seq"], 0) - park["wall_us"]
            self.assertLess(lasted, park["payload"]["wait_us"] + 5_000_000, "a resume waits for the rest alone")
        trials = self.events(repository, "TrialRequested")
        self.assertTrue(0 < len(trials) <= len(ended), "one session goes first after each park, where there is work left")
        self.assert_sound(repository)

    def test_agents_of_one_account_wait_together_and_status_says_until_when(self):
        repository = self.limited({"a": ("work", 3600), "b": ("work", 3600)})
        process = self.begin(repository, self.eight(), "--max-agents", "1")
        self.wait_for_events(repository, "TaskRetried")
        waiting = self.bernstein(repository, "status", "--json").json()["waiting"]
        self.assertEqual([("work", ["a", "b"])], [(w["credential"], w["agents"]) for w in waiting])
        self.assertRegex(waiting[0]["until"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertIn("usage limit reached", waiting[0]["why"])
        shown = self.bernstein(repository, "status").out
        self.assertRegex(shown, r"(?m)^waiting for work \(a, b\) until (\d{4}-\d\d-\d\d )?\d\d:\d\d: agent 'a' may not work now")
        self.assertEqual(1, len((self.directory / "work refused").read_text().splitlines()), "nobody else has asked")

        self.interrupt(process)
        result = self.finish(process)
        self.assertEqual(5, result.code, str(result))
        self.assertIn("  limits  waiting for work (a, b) until", result.out + result.err)
        self.assert_sound(repository)

    def test_an_agent_that_crashes_on_three_tasks_leaves_its_work_to_another(self):
        repository = self.limited({"a": ("a", 0), "b": ("b", 0)}, "limits: {quota_wait: 10m}")
        broken = self.script("broken", "echo cannot load libfoo.so\nexit 127\n")
        settings = repository.read("bernstein.yaml")
        at = settings.index("[")
        # It gets the other's words, and looks at none of them.
        repository.write("bernstein.yaml", settings[: at + 1] + json.dumps(broken) + ", " + settings[at + 1 :])
        repository.commit("break a")
        plan = self.eight().replace("      - title:", "      - complexity: low\n        title:")
        self.run_plan(repository, plan, "--max-agents", "3")
        self.assert_landed(repository, 8)
        parks = [e["payload"] for e in self.events(repository, "ParkRequested")]
        self.assertEqual(["a"], [park["credential"] for park in parks])
        self.assertIn("agent 'a' crashed on 3 tasks in a row: the agent exited with 127", parks[0]["why"])
        self.assert_sound(repository)


if __name__ == "__main__":
    unittest.main()
