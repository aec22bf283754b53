"""What agents, people and the machine do to a run that they should not: it goes on, or ends with one clear message."""

import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

from support import BERNSTEIN, RUN_SECONDS_MAX, Disturbed, Result, dedent, sandbox_obstacle

DAEMON_SWEEP = pathlib.Path(__file__).resolve().parents[2] / "tools" / "daemon-sweep"
ORCHESTRATOR_KB_MAX = 200 * 1024
OUTPUT_BYTES_MAX = 64 << 20  # what is kept of a command's output


class UnrulyAgents(Disturbed):
    def modes(self):
        obstacle = sandbox_obstacle()
        for mode in ("off", "auto"):
            with self.subTest(mode):
                if mode == "auto" and obstacle:
                    self.skipTest(obstacle)
                yield mode

    def slumber(self, name):
        """`sleep` under a name of its own, by which those who live are told from all others."""
        link = self.directory / f"slumber {name}"
        link.symlink_to(shutil.which("sleep"))
        return link

    def test_none_of_their_processes_is_there_when_the_attempt_has_ended(self):
        for mode in self.modes():
            repository = self.place("limits: {agent_timeout: 2s}", name=mode, sandbox=mode)
            first = "if [ $ATTEMPT = 1 ]; then\n%s\nfi\necho %d > t%d.txt"
            places = [self.slumber(f"{mode} {n}") for n in range(1, 5)]
            unruly = [
                f"'{places[0]}' 1001",  # hangs
                # Ignores SIGTERM, and so do its children.
                f"trap '' TERM HUP INT; '{places[1]}' 1001 & while :; do '{places[1]}' 1002 || :; done",
                # Daemons: double fork, a session of their own, closed descriptors.
                f"for i in 1 2 3; do (setsid sh -c \"cd /; setsid '{places[2]}' 1001 & '{places[2]}' 1002 &\" "
                "< /dev/null > /dev/null 2>&1 &); done; exit 3",
                f"for i in $(seq 50); do '{places[3]}' 1001 & done; exit 3",
            ]  # fmt: skip
            scripts = [first % (script, n, n) for n, script in enumerate(unruly, 1)]
            process = self.begin(repository, self.plan(*scripts), "--max-agents", "4")
            for number, place in enumerate(places, 1):
                self.wait_for_events(repository, "AgentExited", f"t{number}.1")
                self.wait_until_gone(place)
            result = self.finish(process)

            self.assertEqual(0, result.code, str(result))
            exits = {e["subject"]: (e["payload"]["exit_code"], e["payload"]["timed_out"])
                     for e in self.events(repository, "AgentExited")}  # fmt: skip
            self.assertEqual([(143, True), (137, True), (3, False), (3, False)], [exits[f"t{n}.1"] for n in range(1, 5)])
            self.assert_landed(repository, 4)
            self.assert_sound(repository)

    def test_daemons_of_many_agents_are_gone_after_the_run(self):
        """tools/daemon-sweep has the agents; 200 of them take half a minute."""
        sweep = subprocess.run([sys.executable, DAEMON_SWEEP, BERNSTEIN, "--agents", "16"], capture_output=True, text=True, timeout=300)
        self.assertEqual(0, sweep.returncode, sweep.stdout + sweep.stderr)
        self.assertEqual(2, sweep.stdout.count(" 0 left 2 s after the run; 16 tasks landed, exit 0\n"), sweep.stdout)

    def test_their_output_is_bounded_on_disk_and_in_memory(self):
        for mode in self.modes():
            repository = self.place(name=mode, sandbox=mode)
            # The last waits, so that the memory of Bernstein can be read when the others are done.
            last = f"last {mode}"
            scripts = [
                "head -c 1000000000 /dev/zero\necho 1 > t1.txt",
                "head -c 10000000 /dev/zero | tr '\\0' x\necho 2 > t2.txt",
                "if [ $ATTEMPT = 1 ]; then printf 'be\\000fore \\377\\376\\300 after\\033[31m\\n'; exit 3; fi\necho 3 > t3.txt",
                f"{self.wait(last)}\necho 4 > t4.txt",
            ]
            process = self.begin(repository, self.plan(*scripts), "--max-agents", "4")
            self.wait_for_events(repository, "MergeLanded", "t1.1", "t2.1", "t3.2")
            peak = self.peak_kb(process.pid)
            self.open(last)
            result = self.finish(process)

            self.assertEqual(0, result.code, str(result))
            self.assertLess(peak, ORCHESTRATOR_KB_MAX)
            written = {e["subject"]: e["payload"]["output_bytes"] for e in self.events(repository, "AgentExited")}
            self.assertEqual((1000000000, 10000000), (written["t1.1"], written["t2.1"]))
            self.assertLess(self.log(repository, "t1.1").stat().st_size, OUTPUT_BYTES_MAX + 1000)
            self.assertIn(b"dropped", self.log(repository, "t1.1").read_bytes()[-1000:])
            self.assertEqual(10000000, self.log(repository, "t2.1").stat().st_size)
            self.assertEqual(b"be\0fore \xff\xfe\xc0 after\x1b[31m\n", self.log(repository, "t3.1").read_bytes())
            prompt = self.prompt(repository, "t3.2")
            self.assertIn(" after", prompt)
            self.assertFalse(any(c in prompt for c in "\0\x1b"), repr(prompt))
            for task in ("t1", "t2", "t3"):
                self.assertEqual(0, self.bernstein(repository, "why", task).code)
            self.assert_landed(repository, 4)
            self.assert_sound(repository)

    def peak_kb(self, pid):
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        return int([line for line in lines if line.startswith("VmHWM:")][0].split()[1])

    def log(self, repository, attempt):
        return repository.sdd / "logs/r1" / f"{attempt}.log"


class Git(Disturbed):
    def test_a_collection_of_garbage_takes_nothing_that_is_needed(self):
        repository = self.place()
        # It collects while agents work, and while a candidate that no reference knows is looked at.
        collect = self.script("collect", f"""
            cd {shlex.quote(str(repository.root))}
            git reflog expire --expire=now --all
            git gc -q --prune=now
            git worktree prune
            """)  # fmt: skip
        repository.write("bernstein.yaml", repository.read("bernstein.yaml") + f"quality_gates: {{collect: \"'{collect}'\"}}\n")
        repository.commit("gate")
        scripts = [f"echo {n} > t{n}.txt; git add -A; git -c user.name=x -c user.email=x@x commit -qm mine\n{self.wait(n)}"
                   for n in (1, 2, 3)]  # fmt: skip
        process = self.begin(repository, self.plan(*scripts), "--max-agents", "3")
        self.wait_until_at(repository, 1, 2, 3)
        self.collect(repository)
        for n in (1, 2, 3):
            self.open(n)
            self.wait_for_events(repository, "MergeLanded", f"t{n}.1")
            if n < 3:
                self.collect(repository)
        result = self.finish(process)
        self.assertEqual(0, result.code, str(result))
        self.assert_landed(repository, 3)
        self.assertEqual(3, len(self.events(repository, "TaskAssigned")), "nobody had to try again")
        self.collect(repository)
        self.assert_sound(repository)

    def collect(self, repository):
        repository.git("reflog", "expire", "--expire=now", "--all")
        repository.git("gc", "-q", "--prune=now")
        repository.git("worktree", "prune")

    def test_a_worktree_that_somebody_deletes_costs_its_attempt_alone(self):
        for what in ("worktrees/session-r1-t1.1", "agents/session-r1-t1.1.git", "both"):
            with self.subTest(what):
                name = what.split("/")[0]
                repository = self.place(name=name)
                scripts = [f"test $ATTEMPT = 2 || {{ {self.wait(f'{name} 1')}; }}\necho 1 > t1.txt",
                           f"{self.wait(f'{name} 2')}\necho 2 > t2.txt"]  # fmt: skip
                process = self.begin(repository, self.plan(*scripts), "--max-agents", "2")
                self.wait_until_at(repository, f"{name} 1", f"{name} 2")
                for folder in ("worktrees/session-r1-t1.1", "agents/session-r1-t1.1.git"):
                    if what in (folder, "both"):
                        shutil.rmtree(repository.sdd / folder)
                self.open(f"{name} 1", f"{name} 2")
                result = self.finish(process)
                self.assertEqual(0, result.code, str(result))
                failed = [(e["subject"], e["payload"]["class"]) for e in self.events(repository, "AttemptFailed")]
                self.assertEqual([("t1.1", "task")], failed)
                self.assert_landed(repository, 2)
                self.assert_sound(repository)

    def test_the_persons_lock_of_the_index_is_left_and_named(self):
        repository = self.place()
        lock = repository.write(".git/index.lock", "")
        result = self.run_plan(repository, self.plan("echo 1 > t1.txt"))
        self.assertTrue(lock.exists())
        self.assertIn("your checkout was left alone", result.out)
        self.assertIn("index.lock", result.out)
        self.assert_landed(repository, 1)
        self.assertFalse((repository.root / "t1.txt").exists())
        # With the lock gone the next landing brings the checkout up.
        lock.unlink()
        self.run_plan(repository, self.plan("true", "echo 2 > t2.txt").replace("RUN: true", "RUN: echo 3 > t1.txt"), name="next.yaml")
        self.assertEqual(("3\n", "2\n"), (repository.read("t1.txt"), repository.read("t2.txt")))
        self.assertEqual([], repository.status())

    def test_the_persons_lock_of_the_branch_is_left_and_named_and_resume_lands(self):
        repository = self.place()
        lock = repository.write(".git/refs/heads/main.lock", "")
        before = repository.tip("main")
        result = self.run_plan(repository, self.plan("echo 1 > t1.txt", "echo 2 > t2.txt"), "--max-agents", "2", expect=6)
        self.assertTrue(lock.exists())
        self.assertIn(f"another git process holds it; if none runs, remove {lock}", result.out + result.err)
        self.assertEqual(before, repository.tip("main"))
        self.assertEqual([], self.events(repository, "MergeLanded"))

        lock.unlink()
        resumed = self.bernstein(repository, "resume")
        self.assertEqual(0, resumed.code, str(resumed))
        self.assert_landed(repository, 2)
        self.assert_sound(repository)


    def test_a_target_that_is_deleted_ends_the_run_and_resume_lands_on_it_again(self):
        # While an agent is at work, and while its work is being checked.
        for when in ("agent", "check"):
            with self.subTest(when):
                repository = self.place(f"quality_gates: {{slow: \"{self.wait('check')}\"}}", name=when)
                self.gate("check").unlink(missing_ok=True)
                tip = repository.tip("main")
                repository.git("checkout", "-q", "--detach")
                process = self.begin(repository, self.plan(f"{self.wait('agent')}\necho 1 > t1.txt"), "--target", "main")
                self.wait_until_at(repository, "agent")
                if when == "check":
                    self.open("agent")
                    self.wait_until((self.directory / "here check").exists, "the check is at its gate")
                repository.git("branch", "-D", "main")
                self.open("agent", "check")
                result = self.finish(process)
                for name in ("agent", "check"):
                    self.gate(name).unlink()
                    (self.directory / f"here {name}").unlink(missing_ok=True)
                said = f"the branch main, on which r1 lands, is gone; bring it back with `git branch main {tip[:12]}` and resume"
                self.assertEqual(6, result.code, str(result))
                self.assertIn(f"  environment: {said}\n", result.out)
                self.assertEqual("1\n", repository.show("t1.txt", "refs/bernstein/salvage/r1/t1.1"))
                refused = self.bernstein(repository, "resume")
                self.assertEqual((6, f"bernstein: {said}\n"), (refused.code, refused.err))

                repository.git("branch", "main", tip)
                self.open("agent", "check")
                resumed = self.bernstein(repository, "resume")
                self.assertEqual(0, resumed.code, str(resumed))
                self.assert_landed(repository, 1)
                self.assert_sound(repository)


class Workspace(Disturbed):
    def test_an_agent_that_deletes_sdd_and_the_repository_ends_the_run_and_nothing_is_called_landed(self):
        for what in (".sdd", ".git", "both"):
            with self.subTest(what):
                name = what.strip(".")
                repository = self.place("limits: {adopt_timeout: 2s}", name=name)
                root = shlex.quote(str(repository.root))
                strike = " ".join(f"{root}/{part}" for part in ((".sdd", ".git") if what == "both" else (what,)))
                # The agent's own worktree is in there: it is gone beneath it.
                plan = self.plan(f"{self.wait(f'{name} 1')}\ncd /; rm -rf {strike}; exit 0", f"{self.wait(f'{name} 2')}\necho 2 > t2.txt")
                process = self.begin(repository, plan, "--max-agents", "2", "--plain")
                self.wait_until_at(repository, f"{name} 1", f"{name} 2")
                self.open(f"{name} 1")
                result = self.finish(process) if what != ".git" else self.finish_second(process, repository, f"{name} 2")
                self.assertEqual(6, result.code, str(result))
                self.assertNotIn("] landed ", result.out)
                self.assertIn({"sdd": ".sdd", "git": "repository", "both": ".sdd"}[name], result.out + result.err)
                self.wait_until(lambda: not self.processes_in(repository.root), "nobody is left", seconds=10)

    def finish_second(self, process, repository, name):
        self.wait_for_events(repository, "AgentExited", "t1.1")
        self.open(name)
        return self.finish(process)

    def test_a_log_that_is_replaced_is_noticed_before_the_next_commit(self):
        repository = self.place()
        process = self.begin(repository, self.plan(f"{self.wait(1)}\necho 1 > t1.txt"))
        self.wait_until_at(repository, 1)
        log, away = repository.sdd / "state.db", repository.sdd / "away.db"
        log.rename(away)
        shutil.copyfile(away, log)
        copy = log.read_bytes()
        tip = repository.tip("main")
        self.open(1)
        result = self.finish(process)
        self.assertEqual(6, result.code, str(result))
        self.assertIn(f"bernstein: '{log}' was deleted or replaced from outside while it was in use; nothing more is recorded in "
                      "it: put the file back, then resume\n", result.err)  # fmt: skip
        self.assertEqual(copy, log.read_bytes())
        self.assertEqual(tip, repository.tip("main"))

        away.rename(log)
        resumed = self.bernstein(repository, "resume")
        self.assertEqual(0, resumed.code, str(resumed))
        self.assert_landed(repository, 1)
        self.assert_sound(repository)


class SmallDisk:
    """A mount namespace with a small file system of its own at one place; it goes with the last process in it."""

    def __init__(self, test, place, megabytes):
        self.test = test
        self.place = place
        place.mkdir()
        mount = 'mount -t tmpfs -o size="$1"m,mode=700 none "$2" && echo mounted && exec cat'
        words = ["unshare", "-m", "--propagation", "private", "sh", "-c", mount, "sh", str(megabytes), str(place)]
        self.holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        test.addCleanup(self.let_go)
        if self.holder.stdout.readline() != "mounted\n":
            test.skipTest(f"no file system can be mounted here: {self.holder.stderr.read().strip()}")

    def let_go(self):
        for stream in (self.holder.stdin, self.holder.stdout, self.holder.stderr):
            stream.close()
        self.holder.wait(timeout=RUN_SECONDS_MAX)

    def words(self, *words):
        enter = 'cd "$1"; shift; exec "$@"'
        return ["nsenter", "-m", "-t", str(self.holder.pid), "sh", "-c", enter, "sh", str(self.place.parent), *map(str, words)]

    def path(self):
        """The place as it is seen from outside."""
        return pathlib.Path(f"/proc/{self.holder.pid}/root{self.place}")

    def fill(self):
        with open(self.path() / "ballast", "wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(b"\0" * size) == size:
                        pass
                except OSError:
                    pass

    def free(self):
        (self.path() / "ballast").unlink()


class FullDisk(Disturbed):
    def test_a_full_disk_ends_the_run_with_one_message_and_resume_lands_everything(self):
        if os.getuid() != 0 or not shutil.which("unshare") or not shutil.which("nsenter"):
            self.skipTest("only root can mount a small file system in a namespace of its own")
        repository = self.place()
        disk = SmallDisk(self, repository.sdd, 16)
        plan = self.directory / "plan.yaml"
        plan.write_text(self.plan(*[f"{self.wait(n)}\necho {n} > t{n}.txt" for n in (1, 2)]), encoding="utf-8")
        process = self.begin_words(repository, disk.words(BERNSTEIN, "run", plan, "--max-agents", "2", "--plain"))
        for n in (1, 2):
            self.wait_until((self.directory / f"here {n}").exists, f"agent {n} is at work")
        disk.fill()
        self.open(1, 2)
        result = self.finish(process)
        self.assertEqual(6, result.code, str(result))
        said = result.err.splitlines()
        self.assertEqual(1, len(said), str(result))
        self.assertIn("the disk is full; free some space and resume", said[0])

        disk.free()
        audit = self.inside(repository, disk, "audit", "--json")
        self.assertEqual((0, True), (audit.code, audit.json()["ok"]), str(audit))
        resumed = self.inside(repository, disk, "resume")
        self.assertEqual(0, resumed.code, str(resumed))
        for n in (1, 2):
            self.assertEqual(f"{n}\n", repository.show(f"t{n}.txt", "main"))
        replay = self.inside(repository, disk, "replay", "r1", "--json")
        self.assertEqual((0, 0), (replay.code, replay.json()["divergences"]), str(replay))
        audit = self.inside(repository, disk, "audit", "--json")
        self.assertEqual((0, True), (audit.code, audit.json()["ok"]), str(audit))
        self.assertEqual("", repository.git("fsck", "--strict", "--no-dangling", "--no-progress"))

    def begin_words(self, repository, words):
        process = subprocess.Popen(words, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.addCleanup(self.end, process)
        return process

    def inside(self, repository, disk, *words):
        return Result(subprocess.run(disk.words(BERNSTEIN, *words), env=self.environment, stdin=subprocess.DEVNULL,
                                     capture_output=True, text=True, timeout=RUN_SECONDS_MAX))  # fmt: skip


# The wall clock of a process jumps by as many seconds as a file says.
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long jump(void) {
  long seconds = 0;
  FILE* file = fopen(getenv("CLOCK_JUMP"), "r");
  if (file) { if (fscanf(file, "%ld", &seconds) != 1) seconds = 0; fclose(file); }
  return seconds;
}
int clock_gettime(clockid_t clock, struct timespec* time) {
  static int (*real)(clockid_t, struct timespec*);
  if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  int code = real(clock, time);
  if (code == 0 && clock == CLOCK_REALTIME) time->tv_sec += jump();
  return code;
}
time_t time(time_t* at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
int gettimeofday(struct timeval* at, void* zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}
"""
DECISIONS = ("TaskReadied", "RouteChosen", "TaskAssigned", "PathsGranted", "LandingQueued", "VerdictReached",
             "AttemptFailed", "TaskRetried", "TaskFailed", "RunFinished")  # fmt: skip
DAY = 24 * 60 * 60


class Clock(Disturbed):
    def test_a_wall_clock_that_jumps_changes_no_decision(self):
        compiler = shutil.which("cc")
        if not compiler:
            self.skipTest("there is no C compiler to make a clock that jumps")
        source = self.directory / "clock.c"
        source.write_text(CLOCK)
        # LD_PRELOAD knows no path with spaces.
        plain = pathlib.Path(tempfile.mkdtemp(prefix="bernstein-clock-"))
        self.addCleanup(shutil.rmtree, plain)
        library = plain / "clock.so"
        built = subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], capture_output=True, text=True)
        self.assertEqual(0, built.returncode, built.stderr)

        jump = self.directory / "jump"
        decisions = {}
        for name, jumps in (("steady", (0, 0)), ("jumped", (-400 * DAY, 400 * DAY))):
            repository = self.place("limits: {agent_timeout: 1h}", name=name)
            jump.write_text("0\n")
            scripts = [f"{self.wait(f'{name} {n}')}\ntest $ATTEMPT = 2 || exit 3\necho {n} > t{n}.txt" for n in (1, 2)]
            process = self.begin(repository, self.plan(*scripts, "echo 3 > t3.txt"), "--max-agents", "1", "--seed", "7",
                                 environment={"LD_PRELOAD": str(library), "CLOCK_JUMP": str(jump)})  # fmt: skip
            for number, seconds in enumerate(jumps, 1):
                self.wait_until_at(repository, f"{name} {number}")
                jump.write_text(f"{seconds}\n")
                self.open(f"{name} {number}")
            result = self.finish(process)
            self.assertEqual(0, result.code, str(result))
            decisions[name] = [(e["type"], e["subject"], self.without_ids(e["payload"])) for e in self.events(repository, *DECISIONS)]
            walls = [e["wall_us"] for e in self.events(repository)]
            self.assertEqual(name == "jumped", max(walls) - min(walls) > 500 * DAY * 1e6, "the clock did jump")
            self.assert_landed(repository, 3)
            self.assert_sound(repository)
        self.assertEqual(decisions["steady"], decisions["jumped"])

    def without_ids(self, payload):
        """Commits, and so trees of trees, carry the time of their making."""
        return {key: value for key, value in payload.items() if key not in ("tree", "commit")}


if __name__ == "__main__":
    unittest.main()
