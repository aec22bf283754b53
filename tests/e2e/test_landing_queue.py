"""The landing queue, one way beside the other: tools/bench/landing with fewer tasks and a quick check."""

import importlib.machinery
import importlib.util
import pathlib
import unittest

import support
from support import EndToEnd

BENCH = pathlib.Path(__file__).resolve().parents[2] / "tools" / "bench" / "landing"


def bench():
    loader = importlib.machinery.SourceFileLoader("bench_landing", str(BENCH))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class LandingQueue(EndToEnd):
    def land(self, keys):
        strict = "skip_intermediate" not in keys
        landing = bench().Landing(support.BERNSTEIN, self.directory / "landing", keys, tasks=12, bad=2, pairs=2,
                                  seconds=0.2)  # fmt: skip
        landing.run(support.RUN_SECONDS_MAX)
        self.assertEqual([], landing.faults(strict), landing.output[-3000:])
        self.assertEqual(10, len(landing.commits()))
        # The target only ever moved to the commit that stands on it.
        below = landing.before
        for commit in landing.commits():
            self.assertEqual(below, landing.git("rev-parse", f"{commit}^1"))
            below = commit
        # Every tip that was checked itself is green, the last commit among them.
        self.assertEqual(landing.commits()[-1], landing.tips()[-1])
        replay = self.bernstein(support.Repository(landing.repository, self.environment), "replay", "r1", "--json")
        self.assertEqual((0, 0), (replay.code, replay.json()["divergences"]), str(replay))
        self.assertEqual([], self.processes_in(self.directory))
        return landing

    def most_checked_at_once(self, landing):
        most = running = 0
        for kind, _, _ in landing.events:
            running += (kind == "CheckRequested") - (kind == "CheckFinished")
            most = max(most, running)
        return most

    def test_one_by_one_each_candidate_is_checked_alone(self):
        landing = self.land("max_checks: 1\n")
        self.assertEqual(1, self.most_checked_at_once(landing))
        self.assertEqual(0, landing.runs_cut_short())
        self.assertEqual(0, landing.red)

    def test_with_four_checks_every_commit_is_still_green(self):
        landing = self.land("max_checks: 4\n")
        self.assertLessEqual(self.most_checked_at_once(landing), 4)
        self.assertGreater(self.most_checked_at_once(landing), 1)
        self.assertEqual(0, landing.red)

    def test_a_check_speaks_for_a_batch(self):
        landing = self.land("max_checks: 1\nskip_intermediate: true\n")
        self.assertEqual(1, self.most_checked_at_once(landing))
        self.assertLess(len(landing.tips()), len(landing.commits()), "somebody landed by the word of another")

    def test_batches_with_four_checks(self):
        landing = self.land("max_checks: 4\nskip_intermediate: true\n")
        self.assertLessEqual(self.most_checked_at_once(landing), 4)


if __name__ == "__main__":
    unittest.main()
