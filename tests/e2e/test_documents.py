"""The commands that documents show are run as they stand; what they link to is there; what they name exists."""

import os
import pathlib
import re
import shlex
import subprocess
import unittest

from support import BERNSTEIN, PLANNER, EndToEnd

PROJECT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").rglob("*.md"))]

PLAN = """
stages:
  - name: one
    steps:
      - {title: "A", files: [a.txt], description: "RUN: echo a > a.txt; echo done"}
      - {title: "B", files: [b.txt], description: "RUN: echo b > b.txt"}
"""


# Runs of it never change nothing.
ANSWER = PLAN.replace("echo a > a.txt; echo done", "date +%s%N > hello.txt").replace("echo b > b.txt", "date +%s%N > bonjour.txt")


class Documents(EndToEnd):
    def test_the_commands_of_cli_md_do_what_the_page_says(self):
        repository = self.repository()
        self.config(repository, agent_script=PLANNER)
        (self.directory / "answer 1").write_text(ANSWER.replace("a.txt", "hello.txt").replace("b.txt", "bonjour.txt"), encoding="utf-8")
        (repository.root / "plan.yaml").write_text(PLAN, encoding="utf-8")
        repository.git("add", "plan.yaml")
        repository.git("commit", "-q", "-m", "plan")
        shown = re.findall(r"^\$ (bernstein .*)$", (PROJECT / "docs/cli.md").read_text(encoding="utf-8"), re.MULTILINE)
        self.assertGreater(len(shown), 15)
        for line in shown:
            with self.subTest(line):
                done = self.bernstein(repository, *shlex.split(line)[1:])
                stops = "--approve plan" in line  # until the next line approves it
                self.assertEqual(5 if stops else 0, done.code, str(done))

    def test_every_command_has_help_with_an_example_and_is_in_cli_md(self):
        text = subprocess.run([BERNSTEIN, "--help"], capture_output=True, text=True, check=True, timeout=20).stdout
        listed = re.findall(r"^  ([a-z]+)  +[A-Z]", text.split("Subcommands:")[1], re.MULTILINE)
        self.assertIn("replay", listed)
        page = (PROJECT / "docs/cli.md").read_text(encoding="utf-8")
        for name in listed:
            with self.subTest(name):
                shown = subprocess.run([BERNSTEIN, name, "--help"], capture_output=True, text=True, check=True, timeout=20).stdout
                self.assertIn(f"Example:\n  bernstein {name}", shown)
                self.assertIn(f"`{name}", page.replace("bernstein ", "`"))

    def test_links_lead_to_files(self):
        for document in DOCUMENTS:
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
                if "://" not in link:
                    self.assertTrue((document.parent / link).exists(), f"{document.name}: {link}")

    def test_every_event_has_its_entry_in_event_log_md(self):
        headers = (PROJECT / "include/bernstein/event").glob("*.hpp")
        types = [name for header in headers for name in re.findall(r'string_view type = "(\w+)"', header.read_text(encoding="utf-8"))]
        self.assertGreater(len(types), 30)
        page = (PROJECT / "docs/event-log.md").read_text(encoding="utf-8")
        self.assertEqual([], [name for name in types if f"**{name}**" not in page])

    def test_the_two_commands_of_the_readme_are_there(self):
        readme = (PROJECT / "README.md").read_text(encoding="utf-8")
        for command in ("tools/demo", "tools/test"):
            self.assertIn(command, readme)
            self.assertTrue(os.access(PROJECT / command, os.X_OK), command)


if __name__ == "__main__":
    unittest.main()
