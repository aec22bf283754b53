"""What an agent's key may reach: the agent. Not a log, a blob, an event, a prompt, an argument or a file that stays."""

import pathlib
import unittest

from support import BERNSTEIN, Disturbed, sandbox_obstacle

KEY = "sk-canary-7f3a9b21c4d8"
SHOWN = "[redacted TESTER_KEY]"


class Secrets(Disturbed):
    def keyed_place(self, more="", name="keyed", sandbox="off"):
        repository = self.place(more, name=name, sandbox=sandbox)
        text = repository.read("bernstein.yaml")
        repository.write("bernstein.yaml", text.replace("    models:", "    env: [TESTER_KEY]\n    models:", 1))
        repository.commit("the agent gets a key")
        return repository

    def holders(self, repository):
        """Files below .sdd that hold the key, and command lines of processes."""
        files = [file for file in repository.sdd.rglob("*") if file.is_file() and not file.is_symlink()]
        found = [str(file.relative_to(repository.sdd)) for file in files if KEY.encode() in self.bytes_of(file)]
        lines = [self.bytes_of(entry / "cmdline") for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
        return found + [line for line in lines if KEY.encode() in line]

    def bytes_of(self, file):
        try:
            return file.read_bytes()
        except OSError:
            return b""

    def test_a_key_that_an_agent_a_check_and_a_plan_tell_is_kept_nowhere(self):
        for mode in ("off", "auto"):
            with self.subTest(mode):
                if mode == "auto" and sandbox_obstacle():
                    self.skipTest(sandbox_obstacle())
                told = self.directory / "told"
                told.write_text(KEY + "\n")
                repository = self.keyed_place(f"quality_gates: {{tell: \"cat '{told}'\"}}", name=mode, sandbox=mode)
                got = self.directory / f"got {mode}"
                first = [
                    f"printf %s \"$TESTER_KEY\" > '{got}'",
                    'echo "whole $TESTER_KEY"',
                    'printf %s "cut ${TESTER_KEY%????????}"; env printf %s "${TESTER_KEY#??????????????}"; echo',
                    "env | grep -a TESTER; exit 3",
                ]
                script = f"if [ $ATTEMPT = 1 ]; then\n{chr(10).join(first)}\nfi\n{self.wait(mode)}\necho 1 > t1.txt"
                plan = self.plan(script + f"\n# {KEY}")
                process = self.begin(repository, plan, environment={"TESTER_KEY": KEY})
                self.wait_until_at(repository, mode)
                self.assertEqual([], self.holders(repository), "while an agent works")
                self.open(mode)
                result = self.finish(process)

                self.assertEqual(0, result.code, str(result))
                self.assertEqual([], self.holders(repository), "afterwards")
                self.assertNotIn(KEY, result.out + result.err)
                self.assertIn(f"warning: the value of TESTER_KEY stands in the plan or in bernstein.yaml: it is kept and "
                              f"sent as {SHOWN}; take it out there, its agent gets it by `env`", result.err)  # fmt: skip
                self.assertEqual(KEY, got.read_text(), "the agent has it")
                log = (repository.sdd / "logs/r1/t1.1.log").read_text()
                self.assertEqual(f"whole {SHOWN}\ncut {SHOWN}\nTESTER_KEY={SHOWN}\n", log)
                prompt = self.prompt(repository, "t1.2")
                self.assertIn(f"whole {SHOWN}", prompt)
                self.assertIn(f"# {SHOWN}", prompt)
                check, = self.events(repository, "CheckFinished")
                self.assertEqual(SHOWN + "\n", self.blob(repository, check["payload"]["output"]))
                self.assert_landed(repository, 1)
                self.assert_sound(repository)

    def test_an_order_that_nobody_came_to_read_goes_with_the_resume(self):
        if b"BERNSTEIN_CRASH" not in pathlib.Path(BERNSTEIN).read_bytes():
            self.skipTest("the binary has no failpoints")
        repository = self.keyed_place()
        crash = {"TESTER_KEY": KEY, "BERNSTEIN_CRASH": "proc.start_supervised.after_prepare_control"}
        process = self.begin(repository, self.plan("echo 1 > t1.txt"), environment=crash)
        self.finish(process)
        self.assertEqual(["control/r1"], [str(pathlib.Path(name).parent.parent) for name in self.holders(repository)])
        result = self.bernstein(repository, "resume", environment={"TESTER_KEY": KEY})
        self.assertEqual(0, result.code, str(result))
        self.assertEqual([], self.holders(repository))
        self.assert_landed(repository, 1)


if __name__ == "__main__":
    unittest.main()
