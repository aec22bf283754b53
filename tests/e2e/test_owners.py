"""Two orchestrators at once. tools/owner-race has the pairs; 500 of them take some minutes."""

import pathlib
import subprocess
import sys
import unittest

from support import BERNSTEIN

OWNER_RACE = pathlib.Path(__file__).resolve().parents[2] / "tools" / "owner-race"


class Owners(unittest.TestCase):
    def test_of_two_that_start_at_once_one_works_and_the_other_names_it(self):
        race = subprocess.run(
            [sys.executable, OWNER_RACE, BERNSTEIN, "--pairs", "10"], capture_output=True, text=True, timeout=500
        )
        self.assertEqual(0, race.returncode, race.stdout + race.stderr)
        self.assertIn("10 pairs: 10 with one owner and one refusal that names it, 0 faults", race.stdout)


if __name__ == "__main__":
    unittest.main()
