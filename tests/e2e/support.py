"""What the end-to-end tests share: a temporary repository, agents that are shell scripts, and ways to look at the results.

Each test gets a directory of its own whose path has spaces and letters beyond ASCII; nothing outside of it is written, no
network is used, and git sees no configuration of the person or the machine.
"""

import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import textwrap
import time
import unittest

BERNSTEIN = os.environ.get("BERNSTEIN", "")
# The agent of most tests: does what the lines "RUN: ..." of its task say, with sh, in its worktree.
OBEDIENT = """
export TASK="$1" ATTEMPT="$2" MODEL="$3"
sed -n 's/^[[:space:]]*RUN: //p' > "$TMPDIR/script.$TASK.$ATTEMPT"
exec sh -eu "$TMPDIR/script.$TASK.$ATTEMPT"
"""

# As a planner it answers with what lies in "answer N", and meddles; as any other agent it obeys.
PLANNER = (
    """
if [ "$1" = plan ]; then
  cat > "$TMPDIR/asked $2"
  echo "the planner was here" > planner.txt
  test ! -e "$TMPDIR/gate $2" || while [ ! -e "$TMPDIR/go $2" ]; do sleep 0.02; done
  exec cat "$TMPDIR/answer $2"
fi
"""
    + OBEDIENT
)

PROCESS_END_SECONDS_MAX = 2  # who belongs to an attempt is gone so long after its end
RUN_SECONDS_MAX = 100  # a run of these tests takes seconds; more is a hang


def dedent(text):
    return textwrap.dedent(text).lstrip("\n")


def sandbox_obstacle():
    """Why bubblewrap does not work on this machine; None when it does."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    words = ["bwrap", "--unshare-pid", "--unshare-net", "--dev-bind", "/", "/", "--proc", "/proc", "--", "true"]
    tried = subprocess.run(words, capture_output=True, text=True, timeout=60)
    return None if tried.returncode == 0 else f"bubblewrap does not work here: {tried.stderr.strip()}"


class Result:
    def __init__(self, completed):
        self.code = completed.returncode
        self.out = completed.stdout
        self.err = completed.stderr

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Repository:
    """A git repository with its working tree; paths are relative to it."""

    def __init__(self, root, environment):
        self.root = pathlib.Path(root)
        self.environment = environment

    @classmethod
    def create(cls, root, environment, branch="main", bare=False):
        repository = cls(root, environment)
        repository.root.mkdir(parents=True)
        repository.git("init", "-q", "-b", branch, *(["--bare"] if bare else []))
        return repository

    def clone_to(self, root):
        subprocess.run(
            ["git", "clone", "-q", str(self.root), str(root)], env=self.environment, check=True, capture_output=True
        )
        return Repository(root, self.environment)

    def git(self, *words, check=True):
        completed = subprocess.run(
            ["git", "-C", str(self.root), *words], env=self.environment, capture_output=True, text=True, timeout=60
        )
        if check and completed.returncode != 0:
            raise AssertionError(f"git {' '.join(words)}: {completed.stdout}{completed.stderr}")
        return completed.stdout.strip()

    def write(self, path, text, executable=False):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        if executable:
            file.chmod(0o755)
        return file

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def commit(self, message="change", **files):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def tip(self, name="HEAD"):
        return self.git("rev-parse", name)

    def show(self, path, commit="HEAD"):
        """A file of a commit, or None."""
        completed = subprocess.run(
            ["git", "-C", str(self.root), "show", f"{commit}:{path}"], env=self.environment, capture_output=True, text=True
        )
        return completed.stdout if completed.returncode == 0 else None

    def refs(self, pattern=""):
        return self.git("for-each-ref", "--format=%(refname)", *([pattern] if pattern else [])).split()

    def status(self):
        return self.git("status", "--porcelain", "--untracked-files=all").splitlines()

    @property
    def sdd(self):
        return self.root / ".sdd"

    def fingerprint(self):
        """All that a refused command must leave as it was: refs, index, files, and no .sdd."""
        files = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                file = pathlib.Path(folder) / name
                if file.name == "index":  # git refreshes its stat cache on `git status`
                    continue
                files[file.relative_to(self.root).as_posix()] = None if file.is_symlink() else file.read_bytes()
        return files


class EndToEnd(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        if not BERNSTEIN:
            self.fail("set BERNSTEIN to the binary's path; ctest does")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bernstein übung ☂ "))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        home = self.directory / "home"
        home.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ann Example",
            "GIT_AUTHOR_EMAIL": "ann@example.org",
            "GIT_COMMITTER_NAME": "Ann Example",
            "GIT_COMMITTER_EMAIL": "ann@example.org",
            "GIT_AUTHOR_DATE": "2030-01-01T00:00:00Z",
            "GIT_COMMITTER_DATE": "2030-01-01T00:00:00Z",
        }

    # ---- places ----------------------------------------------------------------------------------------------------

    def repository(self, name="mein projekt ☃", commit=True):
        repository = Repository.create(self.directory / name, self.environment)
        if commit:
            repository.write("README.md", "A project.\n")
            repository.commit("first")
        return repository

    def script(self, name, text):
        """An executable file outside of any repository; its absolute path. `sh` unless it says otherwise."""
        file = self.directory / "bin dir" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(("" if text.startswith("#!") else "#!/bin/sh\nset -eu\n") + dedent(text), encoding="utf-8")
        file.chmod(0o755)
        return str(file)

    def config(self, repository, more="", agent_script=OBEDIENT):
        """Commits a bernstein.yaml with one agent, a shell script that reads its prompt on stdin."""
        path = self.script("agent", agent_script.replace("$TMPDIR", str(self.directory)))
        text = dedent(
            f"""
            agents:
              tester:
                command: [{json.dumps(path, ensure_ascii=False)}, "{{task}}", "{{attempt}}", "{{model}}"]
                models: {{cheap: small, strong: large}}
            """
        )
        if "routing:" not in more:
            text = "routing: {mode: static}\n" + text  # the bandit explores: tests would be decided by the seed of the day
        repository.write("bernstein.yaml", text + dedent(more))
        repository.write(".gitignore", "__pycache__/\n")
        repository.commit("settings")

    # ---- running ---------------------------------------------------------------------------------------------------

    def start(self, repository, *words, directory=None, environment=None):
        return subprocess.Popen(
            [BERNSTEIN, *words],
            cwd=directory or repository.root,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def bernstein(self, repository, *words, directory=None, stdin=None, environment=None):
        completed = subprocess.run(
            [BERNSTEIN, *words],
            cwd=directory or repository.root,
            env={**self.environment, **(environment or {})},
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS_MAX,
        )
        return Result(completed)

    def run_plan(self, repository, plan, *words, expect=0, name="plan.yaml", **options):
        """Runs a plan that lies outside of the repository; its result, with the exit code asserted."""
        file = self.directory / name
        file.write_text(dedent(plan), encoding="utf-8")
        result = self.bernstein(repository, "run", str(file), *words, **options)
        self.assertEqual(expect, result.code, str(result))
        return result

    def refused(self, repository, plan, *words, code=2, text="", **options):
        """The plan is refused with this code and text, and nothing at all has changed. What it said."""
        before = repository.fingerprint()
        refs = repository.refs()
        result = self.run_plan(repository, plan, *words, expect=code, **options)
        self.assertEqual(before, repository.fingerprint())
        self.assertEqual(refs, repository.refs())
        self.assertFalse(repository.sdd.exists())
        self.assertIn(text, result.err)
        self.assertEqual("", result.out)
        return result.err

    def wait_until(self, condition, what, seconds=30):
        """Polls for something another process does; it is the process that is waited for, not the clock."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f"gave up waiting until {what}")
            time.sleep(0.01)

    def finish(self, process, seconds=RUN_SECONDS_MAX):
        out, err = process.communicate(timeout=seconds)
        return Result(subprocess.CompletedProcess(process.args, process.returncode, out, err))

    # ---- looking ---------------------------------------------------------------------------------------------------

    def rows(self, repository, query, *values):
        database = sqlite3.connect(f"file:{repository.sdd / 'state.db'}?mode=ro".replace(" ", "%20"), uri=True)
        try:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query, values)]
        finally:
            database.close()

    def events(self, repository, *types, run="r1"):
        """Events of a run, in order, of the given types; the payload parsed."""
        rows = self.rows(repository, "SELECT * FROM events WHERE run = ? ORDER BY seq", run)
        for row in rows:
            row["payload"] = json.loads(row["payload"])
        return [row for row in rows if not types or row["type"] in types]

    def tasks(self, repository, run="r1"):
        return {row["task"]: row for row in self.rows(repository, "SELECT * FROM tasks WHERE run = ?", run)}

    def blob(self, repository, digest):
        return (repository.sdd / "blobs" / digest[:2] / digest).read_text(encoding="utf-8")

    def prompt(self, repository, attempt, run="r1"):
        started = [e for e in self.events(repository, "AgentStarted", run=run) if e["subject"] == attempt]
        self.assertEqual(1, len(started), f"{attempt} was started once")
        return self.blob(repository, started[0]["payload"]["prompt"])

    def trailers(self, repository, commit):
        body = repository.git("log", "-1", "--format=%(trailers:only,unfold)", commit)
        return dict(line.split(": ", 1) for line in body.splitlines() if ": " in line)

    def assert_nothing_left(self, repository):
        """No worktree, agent's repository or branch, keep-ref or process stays behind."""
        for folder in ("worktrees", "agents"):
            path = repository.sdd / folder
            left = sorted(entry.name for entry in path.iterdir()) if path.exists() else []
            self.assertEqual([], left, f"left in .sdd/{folder}")
        self.assertEqual([], [ref for ref in repository.refs() if "/keep" in ref])
        self.assertEqual([], [ref for ref in repository.refs("refs/heads") if "agent/" in ref])
        self.assertEqual([f"worktree {repository.root}"],
                         [line for line in repository.git("worktree", "list", "--porcelain").splitlines()
                          if line.startswith("worktree ")])  # fmt: skip
        self.assertEqual([], self.processes_in(self.directory))

    def processes_in(self, directory):
        """Processes whose current directory or command line lies below a directory, we ourselves left out."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                where = os.readlink(entry / "cwd")
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if where.startswith(str(directory)) or str(directory) in command:
                found.append(f"{entry.name}: {command}")
        return found

    def assert_sound(self, repository, run="r1"):
        """The log is whole and can be derived again, so is the repository, and nothing is left behind."""
        audit = self.bernstein(repository, "audit", "--json")
        self.assertEqual((0, True), (audit.code, audit.json()["ok"]), str(audit))
        replay = self.bernstein(repository, "replay", run, "--json")
        self.assertEqual((0, 0), (replay.code, replay.json()["divergences"]), str(replay))
        self.assertEqual("", repository.git("fsck", "--strict", "--no-dangling", "--no-progress"))
        self.assertEqual([], repository.status())
        self.assert_nothing_left(repository)

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)


class Disturbed(EndToEnd):
    """Runs whose agents wait at gates, so that they can be disturbed at a known moment."""

    def place(self, more="", name="mein projekt ☃", sandbox="off"):
        repository = self.repository(name)
        self.config(repository, f"sandbox: {sandbox}\n" + dedent(more))
        return repository

    def plan(self, *scripts):
        """Tasks side by side; the first changes t1.txt, the next t2.txt, and so on."""
        lines = ["stages:", "  - name: one", "    steps:"]
        for number, script in enumerate(scripts, 1):
            lines += [f"      - title: Task {number}", f"        files: [t{number}.txt]", "        description: |",
                      *[f"          RUN: {line}" for line in script.splitlines()]]  # fmt: skip
        return "\n".join(lines) + "\n"

    def gate(self, name):
        return self.directory / f"go {name}"

    def open(self, *names):
        for name in names:
            self.gate(name).write_text("")

    def wait(self, name):
        """What an agent does until its gate is opened: it says that it is there and looks again and again."""
        return f"touch '{self.directory}/here {name}'; while [ ! -e '{self.gate(name)}' ]; do sleep 0.02; done"

    def wait_until_at(self, repository, *names):
        """The agents are at their gates and the log knows of them."""
        for name in names:
            self.wait_until((self.directory / f"here {name}").exists, f"the agent is at gate {name}")
        self.wait_until(lambda: len(self.so_far(repository, "AgentStarted")) >= len(names), "their starts are recorded")

    def at_work(self, repository, count=2, *words):
        """A run with so many agents at gates 1, 2, ..., each of which then writes its file."""
        scripts = [f"{self.wait(n)}\necho {n} > t{n}.txt" for n in range(1, count + 1)]
        process = self.begin(repository, self.plan(*scripts), "--max-agents", str(count), *words)
        self.wait_until_at(repository, *range(1, count + 1))
        return process

    def exits(self, repository):
        return {e["subject"]: e["payload"] for e in self.events(repository, "AgentExited")}

    def assert_landed(self, repository, count):
        for number in range(1, count + 1):
            self.assertEqual(f"{number}\n", repository.show(f"t{number}.txt", "main"))
        self.assertEqual({"landed"}, {row["status"] for row in self.tasks(repository).values()})

    def wait_until_gone(self, directory):
        self.wait_until(lambda: not self.processes_in(directory), "nobody is left", seconds=PROCESS_END_SECONDS_MAX)

    def begin(self, repository, plan, *words, name="plan.yaml", **options):
        """Starts a run and leaves it at work. Whatever becomes of the test, nobody of it stays."""
        file = self.directory / name
        file.write_text(dedent(plan), encoding="utf-8")
        return self.begin_command(repository, "run", str(file), *words, **options)

    def begin_command(self, repository, *words, **options):
        process = self.start(repository, *words, **options)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        """Kills a process of ours, if it is still there, and all that was started below our directory."""
        if process.poll() is None:
            process.kill()
        for stream in (process.stdout, process.stderr):
            stream.close()
        process.wait(timeout=RUN_SECONDS_MAX)
        deadline = time.monotonic() + PROCESS_END_SECONDS_MAX
        while (left := self.processes_in(self.directory)) and time.monotonic() < deadline:
            for line in left:
                try:
                    os.kill(int(line.split(":")[0]), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)

    def crash(self, process):
        """kill -9, as a crash of the orchestrator would be."""
        process.kill()
        self.assertEqual(-signal.SIGKILL, self.finish(process).code)

    def so_far(self, repository, *types, run="r1"):
        """Events of a run that may just be about to begin."""
        try:
            return self.events(repository, *types, run=run)
        except sqlite3.Error:
            return []

    def wait_for_events(self, repository, kind, *subjects, run="r1"):
        """Until an event of this type is recorded for each of the subjects (or at all)."""

        def are_there():
            seen = {event["subject"] for event in self.so_far(repository, kind, run=run)}
            return seen >= set(subjects) if subjects else bool(seen)

        self.wait_until(are_there, f"{kind} is recorded {subjects or ''}")

    def supervisors(self, repository, run="r1"):
        """The pid that each AgentStarted names, by attempt; a second start of an attempt fails the test."""
        pids = {}
        for event in self.events(repository, "AgentStarted", run=run):
            self.assertNotIn(event["subject"], pids, "it was started twice")
            pids[event["subject"]] = event["payload"]["pid"]
        return pids

    def is_alive(self, pid):
        """Whether there is a process with this pid that is no zombie."""
        try:
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return False
        return stat[stat.rfind(")") + 2] not in "ZX"


if __name__ == "__main__":
    unittest.main()
