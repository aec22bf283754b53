"""Whether the flags of the catalog still stand in the clients' own help.

Only words are compared: a flag that means something else now is not found out here, but by the matrix.
"""

import json
import pathlib
import re
import subprocess

import clients

CATALOG = pathlib.Path(__file__).resolve().parents[2] / "catalog"
KEYS = ("command", "read_only", "schema")


def entries(program):
    """{name: [word of a command line, ...]}, from `bernstein agents --json`, else from the files of the catalog."""
    found = _told(program)
    return found if found else {file.stem: _words_of(file.read_text(encoding="utf-8")) for file in sorted(CATALOG.glob("*.yaml"))}


def _told(program):
    try:
        said = subprocess.run([program, "agents", "--json"], capture_output=True, text=True, timeout=60)
        agents = json.loads(said.stdout)["agents"] if said.returncode == 0 else []
    except (OSError, ValueError, KeyError):
        return {}
    return {agent["name"]: [word for key in KEYS for word in agent.get(key) or []] for agent in agents if agent.get("command")}


def _words_of(text):
    """Of the flow lists `command: [a, "b", c]`, which is how the catalog writes them."""
    words = []
    for key in KEYS:
        found = re.search(rf"^{key}: \[(.*?)\]\s*$", text, re.MULTILINE | re.DOTALL)
        if found:
            words += [word.strip().strip("\"'") for word in found[1].split(",")]
    return words


def missing(name, words):
    """Flags that the help of an installed client does not have."""
    said = clients.help_text(clients.CLIENTS[name])
    flags = dict.fromkeys(word.split("=")[0] for word in words if re.fullmatch(r"--?[A-Za-z][\w-]*(=.*)?", word))
    return list(flags), [flag for flag in flags if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", said)]


def check(program, names):
    """What is wrong, as sentences."""
    wrong, compared = [], 0
    for name, words in entries(program).items():
        client = clients.CLIENTS.get(name)
        if client is None or not client.is_installed() or (names and name not in names):
            continue
        compared += 1
        flags, gone = missing(name, words)
        print(f"flags: {name} {client.version}: {len(flags) - len(gone)} of {len(flags)} stand in its help", flush=True)
        wrong += [f"flags: {name} {client.version}: {flag} is not in its help" for flag in gone]
    if not compared:
        print("SKIPPED: no client of the catalog is installed; tools/agents-e2e --install")
    return wrong
