"""Bernstein with real clients, a model that plays a script, and nothing else: no provider, no key, no network.

    with rig.ScriptedModel(directory) as model, rig.Place(directory, model, ["claude", "codex"]) as place:
        model.play([{"match": "MARK-1", "steps": [{"write": {"path": "a.txt", "content": "a\\n"}}]}])
        result = place.bernstein("run", place.plan([{"title": "A", "description": "MARK-1", "cli": "claude"}]))
        place.rows("SELECT * FROM attempts"), model.usage()

A place is a home, a directory for temporary files, a repository and an environment, all fresh, with the few files that the
clients want to find in a home. Whatever becomes of it, no process that belongs to it stays.
"""

import ctypes
import dataclasses
import fcntl
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import clients

MODEL_START_SECONDS_MAX = 20
END_SECONDS_MAX = 5  # from SIGTERM to SIGKILL
RUN_SECONDS_MAX = 600  # unless a case says otherwise
SAMPLE_SECONDS = 0.05  # between two looks at the command lines of descendants
SCRIPTED_MODEL = pathlib.Path(__file__).resolve().parent / "scripted_model.mjs"
USAGE_FIELDS = ("input", "cached", "cacheWrite", "output", "reasoning")


# ---- isolation -----------------------------------------------------------------------------------------------------------


def without_network():
    """Goes on in a network namespace that has a loopback and nothing else, so that no client reaches a provider. False, and
    all is as it was, where this machine does not allow it. Has to be called while there is one thread."""
    clone_newnet, clone_newuser = 0x40000000, 0x10000000
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        if libc.unshare(clone_newnet) != 0:
            return False
    else:
        uid, gid = os.getuid(), os.getgid()
        if libc.unshare(clone_newuser | clone_newnet) != 0:
            return False
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    get_flags, set_flags, up = 0x8913, 0x8914, 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, get_flags, request))[1]
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", flags | up))
    return True


def descendants(pid):
    """Of a process, itself left out: those whose chain of parents leads to it now."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            children.setdefault(int(stat[stat.rfind(")") + 2 :].split()[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        for child in children.get(todo.pop(), []):
            found.append(child)
            todo.append(child)
    return found


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def processes_of(mark):
    """Processes that have a directory in their environment, working directory or command line: all that a place started."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().decode(errors="replace")
            where = os.readlink(entry / "cwd")
        except OSError:
            continue
        if mark in environment or where.startswith(mark) or mark in command_line(entry.name):
            found.append(int(entry.name))
    return found


def end_processes(mark):
    """Ends them, first politely; the command lines of what there was."""
    left = {}
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + END_SECONDS_MAX
        for pid in processes_of(mark):
            left[pid] = command_line(pid)
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        while processes_of(mark) and time.monotonic() < deadline:
            time.sleep(0.05)
    return sorted(filter(None, left.values()))


# ---- the model -----------------------------------------------------------------------------------------------------------


class ScriptedModel:
    """The server of scripted_model.mjs on a free port of loopback, and questions to it."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory) / "model"
        self.directory.mkdir(parents=True)
        self.process = None
        self.url = None

    def __enter__(self):
        node = shutil.which("node")
        if node is None:
            raise clients.Missing("node is not installed")
        port_file = self.directory / "port"
        said = (self.directory / "said").open("w")
        with said:
            self.process = subprocess.Popen(
                [node, SCRIPTED_MODEL, "--port-file", port_file, "--log", self.directory / "requests.jsonl"],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            )  # fmt: skip
        deadline = time.monotonic() + MODEL_START_SECONDS_MAX
        while not port_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise AssertionError(f"the scripted model did not start: {(self.directory / 'said').read_text()}")
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{port_file.read_text()}"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def ask(self, path, body=None):
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def play(self, scenarios):
        """From here on these scripts, and nothing is counted yet."""
        self.ask("/_reset", {})
        self.ask("/_scenarios", {"scenarios": scenarios})

    def requests(self):
        return self.ask("/_requests")

    def usage(self):
        """What was truly sent: {(script, attempt): {input, cached, output}} in Bernstein's words, the client's side requests
        left out. `input` is what did not come from a cache, writes included; `output` includes reasoning."""
        sums = {}
        for key, models in self.usage_by_model().items():
            for told in models.values():
                total = sums.setdefault(key, dict.fromkeys(told, 0))
                for word, number in told.items():
                    total[word] += number
        return sums

    def usage_by_model(self, kind="turn"):
        """The same, by the model that was asked for: {(script, attempt): {model: {...}}}. Side requests: kind "auxiliary"."""
        sums = {}
        for row in self.ask("/_usage"):
            if row["kind"] == kind:
                models = sums.setdefault((row["script"], row["attempt"]), {})
                models[row["model"]] = {
                    "input": row["input"] + row["cacheWrite"],
                    "cached": row["cached"],
                    "output": row["output"] + row["reasoning"],
                    "requests": row["requests"],
                }
        return sums


# ---- what a client wants to find -----------------------------------------------------------------------------------------


# Dollars for a million tokens of the model that we define ourselves. Of no provider, and no two alike.
PRICES = {"scripted-model": {"input": "1.30", "cached": "0.17", "output": "2.90"}}


def home_files(url, key):
    """Files below HOME, by client. The key is in none, only the name of the variable that has it; Cline keeps it in its file."""
    # What opencode and those like it multiply with tokens, and what pi does.
    cost = {key: float(PRICES["scripted-model"][kind]) for key, kind in (("input", "input"), ("output", "output"))}
    cached = float(PRICES["scripted-model"]["cached"])
    chat = {"name": "scripted", "limit": {"context": 200_000, "output": 8_000}, "cost": {**cost, "cache_read": cached}}
    opencode = {
        "provider": {
            "scripted": {
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": f"{url}/v1", "apiKey": "{env:OPENROUTER_API_KEY}"},
                "models": {"scripted-model": chat},
            }
        },
        "permission": {"*": "allow"},
    }
    return {
        "claude": {
            ".claude/settings.json": {
                "env": {"DISABLE_TELEMETRY": "1", "DISABLE_ERROR_REPORTING": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
            }
        },
        "codex": {
            ".codex/config.toml": "\n".join(
                [
                    'model_provider = "scripted"',
                    "[model_providers.scripted]",
                    'name = "scripted"',
                    f'base_url = "{url}/v1"',
                    'env_key = "OPENAI_API_KEY"',
                    'wire_api = "responses"',
                    "[analytics]",  # or it waits for some seconds at its end, where there is no network
                    "enabled = false",
                    "",
                ]
            )
        },
        "gemini": {".gemini/settings.json": {"security": {"auth": {"selectedType": "gemini-api-key"}}}},
        "opencode": {".config/opencode/opencode.json": opencode},
        "kilo": {".config/kilo/kilo.json": opencode},  # made from it
        "pi": {
            ".pi/agent/models.json": {
                "providers": {
                    "scripted": {
                        "baseUrl": f"{url}/v1",
                        "api": "openai-completions",
                        "apiKey": "OPENAI_API_KEY",
                        "models": [{"id": "scripted-model", "contextWindow": 200_000, "maxTokens": 8_000,
                                    "cost": {**cost, "cacheRead": cached, "cacheWrite": 0}}],
                    }
                }
            }
        },
        "continue": {
            ".continue/config.yaml": {
                "name": "scripted", "version": "1.0.0", "schema": "v1",
                "models": [{"name": "scripted-model", "provider": "openai", "model": "scripted-model", "apiBase": f"{url}/v1",
                            "apiKey": "${{ secrets.OPENAI_API_KEY }}", "roles": ["chat"]}],
            }
        },
        "cline": {
            ".cline/data/settings/providers.json": {
                "version": 1, "lastUsedProvider": "openai-compatible", "modes": {},
                "providers": {"openai-compatible": {
                    "settings": {"provider": "openai-compatible", "apiKey": key, "model": "scripted-model",
                                 "baseUrl": f"{url}/v1"},
                    "updatedAt": "2026-01-01T00:00:00.000Z", "tokenSource": "manual"}},
            }
        },
        "droid": {
            ".factory/settings.json": {
                "customModels": [{"model": "scripted-model", "displayName": "Scripted", "baseUrl": f"{url}/v1",
                                  "apiKey": "${OPENAI_API_KEY}", "provider": "generic-chat-completion-api"}]
            }
        },
    }  # fmt: skip


def variables(url, key):
    """The environment of a person who uses these clients, all with one key."""
    return {
        "ANTHROPIC_API_KEY": key,
        "ANTHROPIC_BASE_URL": url,
        "IS_SANDBOX": "1",  # Claude Code refuses to work without questions as root unless it is told this
        "OPENAI_API_KEY": key,
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_MODEL": "qwen3-coder-plus",
        "GEMINI_API_KEY": key,
        "GOOGLE_GEMINI_BASE_URL": url,
        "OPENROUTER_API_KEY": key,
        "COPILOT_OFFLINE": "true",
        "COPILOT_PROVIDER_BASE_URL": f"{url}/v1",
        "COPILOT_PROVIDER_API_KEY": key,
        "PI_OFFLINE": "1",
        "FACTORY_API_BASE_URL": url,
        "FACTORY_API_KEY": key,
    }


# The models that the files above define, where the catalog's own names are a provider's that we cannot be.
MODELS = {
    "opencode": {"only": "scripted/scripted-model"},
    "kilo": {"only": "scripted/scripted-model"},
    "pi": {"only": "scripted/scripted-model"},
    "copilot": {"only": "scripted-model"},
    "cline": {"only": "scripted-model"},
    "continue": {"only": "scripted-model"},
    "droid": {"only": "custom:Scripted-0"},
}


@dataclasses.dataclass
class Result:
    code: int  # exit code; negative: the signal
    out: str
    err: str
    seconds: float
    late: bool  # ended by us because it took too long
    commands: set  # command lines of its descendants, where they were sampled

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"exit {self.code} after {self.seconds:.1f} s\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Place:
    """Home, temporary files, repository and environment of a person who has these clients and no other."""

    def __init__(self, directory, program, model, names, key=None, keep=False):
        self.directory = pathlib.Path(directory)
        self.program = str(program)
        self.model = model
        self.names = list(names)
        self.keep = keep
        self.key = key or "test-key-" + secrets.token_hex(16)
        self.home = self.directory / "home"
        self.temporary = self.directory / "tmp"
        self.repository = self.directory / "project"
        self.environment = {
            "PATH": ":".join([*clients.search_path(self.names), "/usr/local/bin:/usr/bin:/bin"]),
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "TERM": "dumb",
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            **variables(model.url, self.key),
        }
        if clients.node_major() and not any(clients.needs_node(clients.CLIENTS[name]) for name in self.names):
            self.environment["PATH"] += f":{pathlib.Path(shutil.which('node')).parent}"

    def __enter__(self):
        for directory in (self.home, self.temporary, self.repository):
            directory.mkdir(parents=True)
        for name, files in home_files(self.model.url, self.key).items():
            if name in self.names:
                for path, content in files.items():
                    file = self.home / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Ann Example")  # in the repository: Gemini's shell does not see one of HOME
        self.git("config", "user.email", "ann@example.org")
        self.write("README.md", "A project.\n")
        self.config()
        return self

    def __exit__(self, *_):
        self.end()
        if not self.keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    def end(self):
        """Ends what is left of it; the command lines of what there was."""
        return end_processes(str(self.directory))

    # ---- the repository --------------------------------------------------------------------------------------------------

    def git(self, *words):
        done = subprocess.run(["git", "-C", str(self.repository), *words], env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"git {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def write(self, path, text):
        file = self.repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def config(self, **keys):
        """Commits a bernstein.yaml; JSON is YAML. Of each client no more is said than the model that its home defines, and a
        number that says nothing, so that it is named: all else has to come from the catalog. `agents` is laid over that."""
        agents = {name: {"max": 4, **({"models": MODELS[name]} if name in MODELS else {})} for name in self.names}
        for name, more in keys.pop("agents", {}).items():
            agents.setdefault(name, {}).update(more)
        document = {**({"agents": agents} if agents else {}), **keys}
        self.write("bernstein.yaml", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        return self.commit("settings")

    def plan(self, steps, **top):
        """A plan outside of the repository, all steps in one stage; its path."""
        file = self.directory / "plan.yaml"
        file.write_text(json.dumps({**top, "stages": [{"name": "one", "steps": steps}]}, indent=2), encoding="utf-8")
        return str(file)

    # ---- running ---------------------------------------------------------------------------------------------------------

    def bernstein(self, *words, seconds=RUN_SECONDS_MAX, sample=False, path=None):
        environment = self.environment if path is None else {**self.environment, "PATH": path}
        begin = time.monotonic()
        process = subprocess.Popen([self.program, *words], cwd=self.repository, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        commands, over = set(), threading.Event()
        watcher = threading.Thread(target=self._watch, args=(process.pid, commands, over), daemon=True)
        if sample:
            watcher.start()
        try:
            out, err = process.communicate(timeout=seconds)
            late = False
        except subprocess.TimeoutExpired:
            process.kill()
            self.end()
            out, err = process.communicate()
            late = True
        over.set()
        if sample:
            watcher.join()
        return Result(process.returncode, out, err, time.monotonic() - begin, late, commands)

    def _watch(self, pid, commands, over):
        # By the place's mark and not by descent alone: who was left by its parent is a descendant no more.
        while not over.is_set():
            commands.update(map(command_line, {*descendants(pid), *processes_of(str(self.directory))}))
            over.wait(SAMPLE_SECONDS)

    # ---- looking ---------------------------------------------------------------------------------------------------------

    def rows(self, query):
        result = self.bernstein("sql", "--json", query)
        if result.code != 0:
            raise AssertionError(f"sql {query}: {result}")
        return result.json()

    def status(self, run="latest"):
        return self.bernstein("status", run, "--json").json()

    def payloads(self, kind, run=None):
        where = f"type = '{kind}'" + (f" AND run = '{run}'" if run else "")
        return [{"subject": row["subject"], **_parsed(row["payload"])}
                for row in self.rows(f"SELECT subject, payload FROM events WHERE {where} ORDER BY seq")]  # fmt: skip

    def landed(self):
        return self.rows("SELECT task, attempt, commit_id FROM merges")

    def replay(self, run="latest", path=None):
        """Divergences; replay needs no client and no Node, so a PATH without them may be given."""
        result = self.bernstein("replay", run, "--json", path=path)
        return result.json()["divergences"] if result.code in (0, 3) else f"replay: {result}"

    def log(self, attempt, run="r1"):
        file = self.repository / ".sdd" / "logs" / run / f"{attempt}.log"
        return file.read_text(errors="replace") if file.exists() else ""


def _parsed(payload):
    return json.loads(payload) if isinstance(payload, str) else payload


if __name__ == "__main__":
    sys.exit("rig.py is a module; see tools/agents-e2e")
