"""The comparison of the catalog with help texts, on texts that are made up. Needs no client."""

import unittest

import clients
import flags

ENTRY = """# Made up.
title: Some
version: {command: [some, --version], at_least: 1.0.0}
login:
  env: [SOME_KEY]
  command: [some, auth, status]
  fix: run some auth login, or set SOME_KEY to what some token print says
command: [some, exec, --model, "{model}", -o, stream-json,
          --all=yes, "-"]
read_only: [some, exec, --mode, plan]
schema: [--schema, "{schema_file}"]
"""
HELP = {
    (): "Commands:\n  some exec|run [x]   work\n  providers  [aliases: auth]\n  token  tell it\n",
    ("exec",): "  -m, --model <m>\n  -o <x>  text, stream-json\n  --all\n  --mode ask or plan\n  --schema f\n",
    ("auth",): "  login  come in\n  status\n",
    ("auth", "status"): "",
    ("auth", "login"): "",
    ("token",): "  print\n",
    ("token", "print"): "",
}


def gone(changes=None):
    help_of = {**HELP, **(changes or {})}.__getitem__
    lines = [line for line in flags.lines_of(ENTRY) if line.where != "version"]
    return [f"{line.where}: {what}" for line in lines for what in flags.missing(line, help_of)]


class Lines(unittest.TestCase):
    def test_are_all_found(self):
        self.assertEqual(
            {"command": ("exec",), "read_only": ("exec",), "version": (), "login": ("auth", "status"), "schema": ("exec",)},
            {line.where: line.path for line in flags.lines_of(ENTRY) if line.where != "fix"})  # fmt: skip
        fixes = [line.path for line in flags.lines_of(ENTRY) if line.where == "fix"]
        self.assertEqual([("auth", "login"), ("token", "print")], fixes)

    def test_flags_and_their_words(self):
        command = flags.lines_of(ENTRY)[0]
        self.assertEqual(["--model", "-o", "--all"], command.flags)
        self.assertEqual([("-o", "stream-json")], command.values)

    def test_every_entry_of_the_catalog_has_some(self):
        for file in flags.CATALOG.glob("*.yaml"):
            found = flags.lines_of(file.read_text(encoding="utf-8"))
            self.assertEqual("command", found[0].where, file.name)
            self.assertIn("version", [line.where for line in found], file.name)

    def test_every_entry_is_pinned_or_elsewhere(self):
        names = {file.stem for file in flags.CATALOG.glob("*.yaml")}
        self.assertEqual(names, clients.CLIENTS.keys() | clients.ELSEWHERE.keys())
        self.assertFalse(clients.CLIENTS.keys() & clients.ELSEWHERE.keys())


class Missing(unittest.TestCase):
    def test_nothing(self):
        self.assertEqual([], gone())

    def test_a_flag_that_only_begins_alike(self):
        self.assertEqual(["command: --model"], gone({("exec",): HELP[("exec",)].replace("--model", "--models")}))

    def test_a_flag_that_only_another_command_has(self):
        changes = {("exec",): HELP[("exec",)].replace("--schema", ""), (): HELP[()] + "--schema"}
        self.assertEqual(["schema: --schema"], gone(changes))

    def test_a_word_that_a_flag_does_not_take_any_more(self):
        self.assertEqual(["read_only: --mode plan"], gone({("exec",): HELP[("exec",)].replace("or plan", "")}))

    def test_a_command(self):
        self.assertEqual(["fix: some token"], gone({(): HELP[()].replace("token", "tokens")}))
        self.assertEqual(["fix: some token print"], gone({("token",): "  prints\n"}))


if __name__ == "__main__":
    unittest.main()
