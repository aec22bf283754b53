"""The real CLI clients: which there are, where they are installed, and how they get there.

clients.json pins each to an exact version. Each lives in a prefix of its own below the cache, which is outside of every build
tree: $BERNSTEIN_AGENTS_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/bernstein-agents. A prefix is filled beside its place and moved
there when npm is done, so what is there is whole. Installing needs npm and its registry; using what is there needs neither.

    clients.install("claude")        # nothing to do the second time
    clients.search_path(["claude"])  # directories for PATH: its program, and a Node that is new enough
"""

import dataclasses
import functools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

INSTALL_SECONDS_MAX = 1200
HELP_SECONDS_MAX = 60
HERE = pathlib.Path(__file__).resolve().parent
PINS = json.loads((HERE / "clients.json").read_text(encoding="utf-8"))


class Missing(Exception):
    """What is needed and is not here; the sentence says why."""


@dataclasses.dataclass(frozen=True)
class Client:
    name: str
    package: str
    version: str
    node: int  # lowest major version of Node
    binary: str
    told_by: dict = dataclasses.field(default_factory=dict, hash=False)  # {word that is in no help: command line that tells it}

    @property
    def prefix(self):
        return cache() / f"{self.name}-{self.version}"

    @property
    def program(self):
        return self.prefix / "node_modules" / ".bin" / self.binary

    def is_installed(self):
        return self.program.exists()


CLIENTS = {entry["name"]: Client(**entry) for entry in PINS["clients"]}
ELSEWHERE = PINS["elsewhere"]  # entries of the catalog that npm cannot install, and why
NODE = Client("node", PINS["node"]["package"], PINS["node"]["version"], 0, "node")


def cache():
    chosen = os.environ.get("BERNSTEIN_AGENTS_CACHE")
    if chosen:
        return pathlib.Path(chosen)
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "bernstein-agents"


@functools.cache
def node_major():
    """Of the machine's own Node; 0 when there is none."""
    node = shutil.which("node")
    if node is None:
        return 0
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60).stdout
    return int(version.lstrip("v").split(".")[0] or 0)


def needs_node(client):
    """Whether the machine's Node is too old for it."""
    return node_major() < client.node


def search_path(names):
    """Directories that have to come first in PATH for these clients."""
    wanted = [CLIENTS[name] for name in names]
    directories = [str(client.program.parent) for client in wanted]
    if any(needs_node(client) for client in wanted):
        directories.append(str(NODE.program.parent))
    return directories


def install(name, say=print):
    """Installs a client, and Node where that is needed. Missing when npm or its registry is not to be had."""
    client = CLIENTS[name]
    for one in ([NODE] if needs_node(client) else []) + [client]:
        if not one.is_installed():
            say(f"installing {one.package}@{one.version} into {one.prefix}")
            _install(one)


def _install(client):
    npm = shutil.which("npm")
    if npm is None:
        raise Missing("npm is not installed")
    cache().mkdir(parents=True, exist_ok=True)
    aside = pathlib.Path(tempfile.mkdtemp(prefix=f".{client.name}-", dir=cache()))
    try:
        words = [npm, "install", "--prefix", str(aside), "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error",
                 f"{client.package}@{client.version}"]  # fmt: skip
        try:
            done = subprocess.run(words, cwd=aside, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=INSTALL_SECONDS_MAX)  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise Missing(f"npm has not installed {client.package}@{client.version} within {INSTALL_SECONDS_MAX} s") from late
        if done.returncode != 0 or not (aside / "node_modules" / ".bin" / client.binary).exists():
            reason = (done.stderr.strip() or done.stdout.strip() or "no such program in the package").splitlines()[0]
            raise Missing(f"npm cannot install {client.package}@{client.version}: {reason}")
        shutil.rmtree(client.prefix, ignore_errors=True)
        aside.rename(client.prefix)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def ask(client, *words):
    """What a client says to a command line that only tells of itself, with a fresh home and no key."""
    return _run(client, words)[1]


def exit_code(client, *words):
    return _run(client, words)[0]


def _run(client, words):
    """(exit code, what it said). What it has left running is ended."""
    with (
        tempfile.TemporaryDirectory(prefix="bernstein-help-", ignore_cleanup_errors=True) as home,
        tempfile.TemporaryFile() as said,  # no pipe, which a process that lives on would hold open
    ):
        environment = {
            "PATH": ":".join([*search_path([client.name]), os.environ["PATH"]]),
            "HOME": home, "TMPDIR": home, "TERM": "dumb", "NO_COLOR": "1", "LANG": "C.UTF-8", "COLUMNS": "200",
        }  # fmt: skip
        process = subprocess.Popen([client.program, *words], cwd=home, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=said, stderr=said, start_new_session=True)  # fmt: skip
        try:
            code = process.wait(timeout=HELP_SECONDS_MAX)
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        said.seek(0)
        return code, said.read().decode(errors="replace")
