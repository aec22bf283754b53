"""Whether the words that the catalog gives to a client still stand in the client's own help.

    flags.check(["claude"])    # what is wrong, as sentences; [] for all that are installed

Each command line of an entry is looked up where its client documents it: the flags of `codex exec --json` in what `codex exec
--help` says, `exec` itself in what `codex --help` says. Words are compared, not what they mean: that is the matrix's.
"""

import dataclasses
import functools
import pathlib
import re
import subprocess

import clients

CATALOG = pathlib.Path(__file__).resolve().parents[2] / "catalog"
FLAG = re.compile(r"--?[A-Za-z][\w-]*")
MADE_UP = ("--made-up-flag", "made-up-command")
SENTENCE_WORDS = ("and", "or", "says", "in", "with")  # end a command that stands in a sentence


@dataclasses.dataclass(frozen=True)
class Line:
    """A command line of an entry."""

    where: str  # "read_only"
    words: tuple

    @property
    def path(self):
        """Its subcommands: words behind the program, up to the first flag or place."""
        path = []
        for word in self.words[1:]:
            if not re.fullmatch(r"[a-z][a-z-]*", word):
                break
            path.append(word)
        return tuple(path)

    @property
    def flags(self):
        return list(dict.fromkeys(word.split("=")[0] for word in self.words[1:] if FLAG.fullmatch(word.split("=")[0])))

    @property
    def values(self):
        """Words for flags, as "yolo" in --approval-mode yolo: (flag, word)."""
        pairs = zip(self.words[1:], self.words[2:])
        return [(flag, word) for flag, word in pairs if FLAG.fullmatch(flag) and re.fullmatch(r"[a-z][a-z-]*", word)]


def lines_of(text):
    """The command lines of an entry of the catalog, which writes them as flow lists."""
    found = []

    def take(where, pattern):
        match = re.search(pattern, text, re.MULTILINE | re.DOTALL)
        if match:
            found.append(Line(where, tuple(word.strip().strip("\"'") for word in match[1].split(","))))

    take("command", r"^command: \[(.*?)\]\s*$")
    take("read_only", r"^read_only: \[(.*?)\]\s*$")
    take("version", r"^version: \{command: \[(.*?)\]")
    take("login", r"^  command: \[(.*?)\]\s*$")
    command = found[0]
    take("schema", r"^schema: \[(.*?)\]\s*$")
    if found[-1].where == "schema":  # is appended to another
        found[-1] = Line("schema", command.words[:1] + command.path + found[-1].words)
    fix = re.search(r"^  fix: (.*)$", text, re.MULTILINE)
    for match in re.finditer(rf"\b{re.escape(command.words[0])}((?: [a-z][a-z-]*)+)", fix[1] if fix else ""):
        words = match[1].split()
        end = next((i for i, word in enumerate(words) if word in SENTENCE_WORDS), len(words))
        found.append(Line("fix", (command.words[0], *words[:end])))
    return found


def has_word(text, word):
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def has_command(text, program, path):
    """In a list of commands, alone or behind the program and the commands above it, with other names of it around."""
    *above, name = path
    if re.search(rf"\[alias(?:es)?: [^\]]*\b{re.escape(name)}\b", text):
        return True
    before = rf"(?:{re.escape(' '.join([program, *above]))} +)?(?:[a-z-]+[|,] ?)*"
    return re.search(rf"^\s*{before}{re.escape(name)}(?![\w-])", text, re.MULTILINE) is not None


def missing(line, help_of):
    """Words of a command line that the help does not have; help_of(path) is the help of a subcommand."""
    program, gone = line.words[0], []
    for depth in range(1, len(line.path) + 1):
        if not has_command(help_of(line.path[: depth - 1]), program, line.path[:depth]):
            gone.append(" ".join([program, *line.path[:depth]]))
    said = help_of(line.path)
    gone += [flag for flag in line.flags if not has_word(said, flag)]
    gone += [f"{flag} {word}" for flag, word in line.values if not has_word(said, word)]
    return gone


def _help_reader(client):
    @functools.cache
    def help_of(path):
        more = [clients.ask(client, *words) for words in client.told_by.values()] if path else []
        return "\n".join([clients.ask(client, *path, "--help"), *more])

    return help_of


def _check_client(client, text):
    wrong, words, help_of = [], 0, _help_reader(client)
    for line in lines_of(text):
        words += len(line.path) + len(line.flags) + len(line.values)
        if line.where == "version":  # is run: that says more, and some do not tell it in their help
            if client.version.split("-")[0] not in clients.ask(client, *line.words[1:]):
                wrong.append(f"version: `{' '.join(line.words)}` does not say that it is {client.version}")
            continue
        wrong += [f"{line.where}: {what} is not in its help" for what in missing(line, help_of)]
        if line.where == "login" and clients.exit_code(client, *line.words[1:]) == 0:
            wrong.append(f"login: `{' '.join(line.words)}` exits with 0 where nobody is logged in")
    # What is never there has to be missed, or nothing that stands above is worth anything.
    canary = Line("canary", lines_of(text)[0].words + MADE_UP[:1])
    if MADE_UP[0] not in missing(canary, help_of):
        wrong.append(f"the flag {MADE_UP[0]}, which nobody has, was not missed")
    if not missing(Line("canary", (client.binary, MADE_UP[1])), help_of):
        wrong.append(f"the command {MADE_UP[1]}, which nobody has, was not missed")
    return words, wrong


def check(names=()):
    """What is wrong, as sentences."""
    wrong, compared = [], 0
    for file in sorted(CATALOG.glob("*.yaml")):
        name = file.stem
        client = clients.CLIENTS.get(name)
        if names and name not in names:
            continue
        if client is None:
            print(f"flags: {name}: not checked: {clients.ELSEWHERE.get(name, 'nobody says why')}", flush=True)
            if name not in clients.ELSEWHERE:
                wrong.append(f"flags: {name} is neither pinned in clients.json, nor does that say why it cannot be")
        elif not client.is_installed():
            print(f"flags: {name} {client.version}: not installed", flush=True)
        else:
            compared += 1
            try:
                words, faults = _check_client(client, file.read_text(encoding="utf-8"))
            except subprocess.TimeoutExpired as late:
                words, faults = 0, [f"{' '.join(map(str, late.cmd[1:]))} had not ended after {late.timeout} s"]
            print(f"flags: {name} {client.version}: {words} words looked up, {len(faults)} wrong", flush=True)
            wrong += [f"flags: {name} {client.version}: {what}" for what in faults]
    if not compared:
        print("SKIPPED: no client of the catalog is installed; tools/agents-e2e --install")
    return wrong
