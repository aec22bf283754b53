"""sandbox: what agents and checks can reach with auto and with strict, and what happens where bubblewrap does not work."""

import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import unittest

from support import EndToEnd, dedent, sandbox_obstacle

# Does what the lines "RUN: ..." of its task say, and keeps its script where it may write.
AGENT = """
script="${TMPDIR}/script.$1.$2"
export ATTEMPT="$2"
sed -n 's/^[[:space:]]*RUN: //p' > "$script"
exec sh -u "$script"
"""

ONE = """
stages:
  - name: one
    steps:
      - {title: "One", files: [one.txt], description: "RUN: echo one > one.txt"}
"""


OBSTACLE = sandbox_obstacle()
if OBSTACLE:
    print(f"tests of a working sandbox are skipped: {OBSTACLE}")


class Sandboxed(EndToEnd):
    def setUp(self):
        if OBSTACLE:
            self.skipTest(OBSTACLE)
        super().setUp()
        self.home = pathlib.Path(self.environment["HOME"])
        (self.home / "letter ☃.txt").write_text("dear all\n", encoding="utf-8")

    def place(self, mode, more="", agent_script=AGENT, name="mein projekt ☃"):
        repository = self.repository(name)
        self.config(repository, f"sandbox: {mode}\n" + dedent(more), agent_script)
        return repository

    def files(self, directory, without=()):
        """Every file below a directory with its bytes."""
        found = {}
        for folder, folders, names in os.walk(directory):
            folders[:] = [name for name in folders if pathlib.Path(folder, name) not in without]
            for name in names:
                file = pathlib.Path(folder, name)
                found[str(file)] = os.readlink(file) if file.is_symlink() else file.read_bytes()
        return found

    def log(self, repository, name, run="r1"):
        return (repository.sdd / "logs" / run / f"{name}.log").read_text(encoding="utf-8")

    def modes(self, repository):
        return {e["payload"]["sandbox"] for e in self.events(repository, "AgentStarted")}


class Reach(Sandboxed):
    # The first attempt deletes all it can find, the second does the work; its neighbour works beside the first.
    def plan(self, repository, strike):
        struck = "struck.txt"
        return f"""
        stages:
          - name: one
            steps:
              - title: "Destroyer"
                files: [right.txt]
                description: |
                  RUN: if [ $ATTEMPT = 1 ]; then {strike}; exit 3; fi
                  RUN: echo right > right.txt
                completion_signals: [{{type: file_contains, path: right.txt, contains: right}}]
              - {{title: "Neighbour", files: [{struck}], description: "RUN: echo survived > {struck}"}}
          - name: two
            depends_on: [one]
            steps:
              - {{title: "Later", files: [later.txt], description: "RUN: cat right.txt {struck} > later.txt"}}
        """

    def test_with_auto_the_repository_and_sdd_survive_an_agent_that_deletes_all_it_can_reach(self):
        repository = self.place("auto")
        repository.write("uncommitted.txt", "mine\n")
        repository.git("stash", "push", "-q", "-u")
        config = (repository.root / ".git/config").read_bytes()
        root, home = shlex.quote(str(repository.root)), shlex.quote(str(self.home))
        strike = f"rm -rf {root}/.git {root}/.sdd {root}/* {home}/*; echo x > {root}/.git/hooks/post-merge; echo x > {root}/.sdd/x"

        result = self.run_plan(repository, self.plan(repository, strike), "--max-agents", "2")

        self.assertNotIn("sandbox", result.err)
        self.assertEqual({"auto"}, self.modes(repository))
        self.assertEqual("right\nsurvived\n", repository.show("later.txt"))
        self.assertEqual("right\nsurvived\n", repository.read("later.txt"))
        self.assertEqual({"t1": 2, "t2": 1, "t3": 1}, {t: row["attempts"] for t, row in self.tasks(repository).items()})
        self.assertEqual(config, (repository.root / ".git/config").read_bytes())
        self.assertFalse((repository.root / ".git/hooks/post-merge").exists())
        self.assertFalse((repository.sdd / "x").exists())
        said = self.log(repository, "t1.1")
        self.assertIn(f"rm: cannot remove '{repository.root}/README.md': Read-only file system", said)
        self.assertIn("Read-only file system", said.splitlines()[-1])
        self.assertEqual({}, self.files(self.home), "auto promises nothing for the rest of the machine")
        self.assertIn("stash", repository.git("stash", "list"))
        self.assert_sound(repository)

    def test_with_strict_nothing_outside_its_worktree_changes(self):
        repository = self.place("strict")
        root, above = shlex.quote(str(repository.root)), shlex.quote(str(self.directory))
        far = pathlib.Path(f"/var/bernstein-test-{os.getpid()}")  # neither temporary nor ours
        self.addCleanup(far.unlink, missing_ok=True)
        strike = f"rm -rf {root}/.git {root}/.sdd {root}/* {above}/* ~/*; for f in ~/x {above}/x {far}; do echo x > $f; done"
        plan = self.plan(repository, strike)
        (self.directory / "plan.yaml").write_text(dedent(plan), encoding="utf-8")
        before = self.files(self.directory, without=[repository.root])

        self.run_plan(repository, plan, "--max-agents", "2")

        self.assertEqual(before, self.files(self.directory, without=[repository.root]))
        self.assertIn(str(self.home / "letter ☃.txt"), before)
        self.assertEqual({"strict"}, self.modes(repository))
        self.assertEqual("right\nsurvived\n", repository.show("later.txt"))
        said = self.log(repository, "t1.1")
        self.assertIn(f"{repository.root}/README.md': Read-only file system", said)
        self.assertTrue("Read-only file system" in said.splitlines()[-1] or os.geteuid() != 0, said)
        self.assertFalse(far.exists())
        self.assert_sound(repository)

    def test_strict_works_wherever_the_home_is_and_finds_an_agent_that_lives_there(self):
        home = self.home / "bin=1"
        home.mkdir()
        agent = home / "agent"
        shutil.copy(self.script("agent", 'cat > /dev/null; (ls -A "$HOME"; echo x > "$HOME/x" && echo mine) > one.txt 2>&1 || true'), agent)
        (home / "known as").symlink_to("agent")
        alias = self.directory / "the home"
        alias.symlink_to("home")
        repository = self.repository(".files=☃")
        repository.write("bernstein.yaml", f'agents: {{a: ["{alias}/bin=1/known as"]}}\nsandbox: strict\n')
        repository.commit("settings")
        for number, (where, seen) in enumerate([(alias, "mine"), (self.home, "mine"), (repository.root, "Read-only file system"),
                                                (self.directory / "nowhere", "No such file"), ("/", ".")], 1):  # fmt: skip
            with self.subTest(where):
                self.run_plan(repository, ONE, environment={"HOME": str(where)})
                self.assertIn(seen, repository.show("one.txt") + self.log(repository, "t1.1", f"r{number}"))
                self.assertNotIn("letter", repository.show("one.txt"))
                repository.git("rm", "-q", "one.txt")
                repository.commit("again")
        self.assertFalse((self.home / "x").exists())

    def test_with_off_there_is_none(self):
        repository = self.place("off")
        plan = ONE.replace("echo one > one.txt", f"echo one > one.txt; echo x > {shlex.quote(str(repository.root))}/.sdd/x")
        self.run_plan(repository, plan)
        self.assertEqual({"off"}, self.modes(repository))
        self.assertTrue((repository.sdd / "x").exists())

    def test_an_agent_sees_of_sdd_only_what_is_its_own(self):
        repository = self.place("auto")
        root = shlex.quote(str(repository.root))
        plan = ONE.replace("echo one > one.txt", f"cd {root}/.sdd; find . -maxdepth 2 | sort > $OLDPWD/one.txt")
        self.run_plan(repository, plan)
        self.assertEqual(
            ["./agents/session-r1-t1.1.git", "./worktrees/session-r1-t1.1"],
            [line for line in repository.show("one.txt").splitlines() if line.count("/") == 2],
        )

    def test_a_prompt_in_a_file_can_be_read_and_not_changed(self):
        for mode in ("auto", "strict"):
            with self.subTest(mode):
                repository = self.repository(f"projekt {mode}")
                path = self.script("reader", 'cp "$1" one.txt; echo x > "$1" || true')
                repository.write("bernstein.yaml", f'agents: {{reader: ["{path}", "{{prompt_file}}"]}}\nsandbox: {mode}\n')
                repository.commit("settings")
                self.run_plan(repository, ONE)
                self.assertEqual(self.prompt(repository, "t1.1"), repository.show("one.txt"))
                self.assertIn("Read-only file system", self.log(repository, "t1.1"))

    def test_a_linked_worktree_that_the_person_stands_in_is_read_only_too(self):
        for mode in ("auto", "strict"):
            with self.subTest(mode):
                repository = self.place(mode, name=f"haupt {mode}")
                linked = self.directory / f"verlinkt {mode}"
                repository.git("worktree", "add", "-q", "-b", "side", str(linked))
                before = self.files(linked)
                plan = ONE.replace("echo one", f"rm -rf {shlex.quote(str(linked))}; echo one")
                self.run_plan(repository, plan, directory=linked)
                self.assertIn("Read-only file system", self.log(repository, "t1.1"))
                self.assertEqual({**before, str(linked / "one.txt"): b"one\n"}, self.files(linked))
                self.assertEqual("one\n", repository.show("one.txt", "side"))

    def test_a_repository_that_is_not_in_its_worktree_is_read_only_too(self):
        for mode in ("auto", "strict"):
            with self.subTest(mode):
                repository = self.repository(f"projekt {mode}", commit=False)
                elsewhere = self.directory / f"elsewhere {mode}.git"
                repository.git("init", "-q", "--separate-git-dir", str(elsewhere))
                self.config(repository, f"sandbox: {mode}", AGENT)
                run = f"git log -1 --format=%s > one.txt; rm -rf {shlex.quote(str(elsewhere))}"
                self.run_plan(repository, ONE.replace("echo one > one.txt", run + " || true"))
                self.assertIn("Read-only file system", self.log(repository, "t1.1"))
                self.assertEqual("settings\n", repository.show("one.txt"))
                self.assertEqual("", repository.git("fsck", "--strict", "--no-dangling", "--no-progress"))

    def test_directories_linked_from_the_checkout_can_be_read(self):
        for mode in ("auto", "strict"):
            with self.subTest(mode):
                repository = self.repository(f"projekt {mode}")
                setup = "worktree_setup: {symlink_dirs: [node_modules], setup_command: 'echo set up > setup.txt'}"
                self.config(repository, f"sandbox: {mode}\n{setup}", AGENT)
                repository.write(".gitignore", "node_modules\n")
                repository.commit("ignore")
                repository.write("node_modules/a.js", "a\n")
                run = "cat setup.txt node_modules/a.js > one.txt; rm setup.txt; echo x > node_modules/b.js"
                self.run_plan(repository, ONE.replace("echo one > one.txt", run + " || true"))
                self.assertEqual("set up\na\n", repository.show("one.txt"))
                self.assertEqual(["a.js"], os.listdir(repository.root / "node_modules"))


class Checks(Sandboxed):
    def test_a_check_writes_in_its_checkout_alone(self):
        for mode in ("auto", "strict"):
            with self.subTest(mode):
                repository = self.repository(f"projekt {mode}")
                root = shlex.quote(str(repository.root))
                gate = self.script(f"gate {mode}", f"echo x > built.txt; ls -A {root}/.sdd/worktrees; rm -rf {root}/.git {root}/.sdd/*.db")
                self.config(repository, f"sandbox: {mode}", AGENT)
                repository.write("gate.sh", pathlib.Path(gate).read_text())
                text = repository.read("bernstein.yaml") + "\nquality_gates: {gate: 'sh gate.sh || echo kept'}\n"
                repository.write("bernstein.yaml", text)
                repository.commit("gate")
                self.run_plan(repository, ONE)
                said = self.log(repository, "t1.1.gate").splitlines()
                self.assertEqual(("check-r1-t1.1", "kept"), (said[0], said[-1]))
                self.assertIn("Read-only file system", said[-2])
                self.assertEqual([], repository.status())
                self.assert_sound(repository)

    def test_a_check_has_no_network_in_strict_and_its_agent_has(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        call = f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{server.getsockname()[1]}' 2> /dev/null"
        for mode, reached in (("auto", "reached"), ("strict", "cut off")):
            with self.subTest(mode):
                repository = self.repository(f"projekt {mode}")
                repository.write("call.sh", f"{call} && echo reached || echo cut off\n")
                self.config(repository, f"sandbox: {mode}\nquality_gates: {{call: sh call.sh}}", AGENT)
                self.run_plan(repository, ONE.replace("echo one", "sh call.sh"))
                self.assertEqual("reached\n", repository.show("one.txt"))
                self.assertEqual(reached + "\n", self.log(repository, "t1.1.call"))


class Processes(Sandboxed):
    def test_an_agent_neither_sees_nor_ends_processes_outside(self):
        outsider = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(outsider.wait)
        self.addCleanup(outsider.kill)
        repository = self.place("auto")
        # It strikes at all processes only where it cannot see that one: a sandbox that failed shall not cost the machine.
        strike = f"test -e /proc/{outsider.pid} || kill -9 -1"
        run = f"kill -9 {outsider.pid} 2>> one.txt; echo /proc/[0-9]* >> one.txt; {strike}; echo alive >> one.txt"
        self.run_plan(repository, ONE.replace("echo one > one.txt", run))
        said = repository.show("one.txt")
        self.assertIn("No such process", said)
        self.assertLess(len(re.findall(r"/proc/\d+", said)), 6, said)
        self.assertNotIn(f"/proc/{outsider.pid} ", said)
        self.assertTrue(said.endswith("alive\n"))
        self.assertIsNone(outsider.poll())
        self.assert_sound(repository)

    def test_a_daemon_that_an_agent_or_a_check_leaves_behind_ends_with_it(self):
        repository = self.place("auto", "quality_gates: {leave: sh leave.sh}")
        daemon = self.script("a daemon", "echo here >> \"$1\"; exec sleep 1000")
        # It has left the session and its parent is gone when the leaver ends.
        repository.write("leave.sh", f"mkfifo here; (setsid setsid {shlex.quote(daemon)} here & ); read word < here; rm here\n")
        repository.commit("leave")
        self.run_plan(repository, ONE.replace("echo one", "sh leave.sh; echo one"))
        self.assertEqual([], [p for p in self.commands() if "sleep 1000" in p and str(self.directory) in p])
        self.assert_sound(repository)

    def commands(self):
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit():
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found.append(command + os.readlink(entry / "cwd"))
            except OSError:
                continue
        return found

    def test_exit_codes_output_and_the_grace_of_a_time_limit_are_as_without(self):
        plan = """
        stages:
          - name: one
            steps:
              - {title: "Seven", files: [a.txt], description: "RUN: echo out; echo err >&2; exit 7"}
              - {title: "Killed", files: [b.txt], description: "RUN: kill -9 $$"}
              - {title: "Slow", files: [c.txt], description: "RUN: trap 'echo bye; exit 9' TERM; while :; do sleep 0.05; done"}
        """
        ends = {}
        for mode in ("off", "auto", "strict"):
            repository = self.place(mode, "limits: {attempts: 1, agent_timeout: 1s}", name=f"projekt {mode}")
            self.run_plan(repository, plan, expect=1)
            exits = {e["subject"]: e["payload"] for e in self.events(repository, "AgentExited")}
            ends[mode] = {
                subject: (end["exit_code"], end["timed_out"], end["stopped"], self.said(repository, subject))
                for subject, end in exits.items()
            }
        self.assertEqual({"t1.1": (7, False, False, "out\nerr\n"), "t3.1": (9, True, False, "bye\n")},
                         {subject: ends["off"][subject] for subject in ("t1.1", "t3.1")})  # fmt: skip
        self.assertEqual(137, ends["off"]["t2.1"][0])
        self.assertEqual(ends["off"], ends["auto"])
        self.assertEqual(ends["off"], ends["strict"])

    def said(self, repository, name):
        """What an agent printed itself; its shell may or may not remark that SIGTERM ended a command of its own too."""
        return self.log(repository, name).replace("Terminated\n", "")

    def test_nobody_outlives_the_process_that_an_agents_start_names(self):
        repository = self.place("auto")
        here = self.directory / "here"
        stay = f"(setsid sleep 1000 &); echo > {shlex.quote(str(here))}; exec sleep 1000"
        plan = ONE.replace("echo one > one.txt", f"if [ $ATTEMPT = 1 ]; then {stay}; fi; echo one > one.txt")
        file = self.directory / "plan.yaml"
        file.write_text(dedent(plan), encoding="utf-8")
        process = self.start(repository, "run", str(file))
        self.wait_until(here.exists, "the agent works")
        self.wait_until(lambda: self.events(repository, "AgentStarted"), "its start is recorded")
        self.assertGreater(len(self.processes_in(repository.sdd / "worktrees/session-r1-t1.1")), 2)
        os.kill(self.events(repository, "AgentStarted")[0]["payload"]["pid"], signal.SIGKILL)
        result = self.finish(process)
        self.assertEqual(0, result.code, str(result))
        self.assertEqual("one\n", repository.show("one.txt"))
        self.assert_sound(repository)


class WithoutBubblewrap(EndToEnd):
    """These need none and run everywhere."""

    def path_without(self):
        tools = self.directory / "tools"
        tools.mkdir()
        for name in ("sh", "sed", "cat", "git", "env"):
            os.symlink(shutil.which(name), tools / name)
        return {"PATH": str(tools)}

    def path_with_one_that_fails(self):
        self.script("bwrap", "echo 'something else'; echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
        return {"PATH": f"{self.directory / 'bin dir'}:{os.environ['PATH']}"}

    def test_auto_says_so_once_and_goes_on(self):
        for name, environment, why, fix in (
            ("none", self.path_without(), "bubblewrap is not installed", "apt-get install bubblewrap"),
            ("broken", self.path_with_one_that_fails(),
             "bubblewrap does not work here (bwrap: No permissions to create new namespace)",
             "let this machine, or the container's host, allow user namespaces"),
        ):  # fmt: skip
            with self.subTest(name):
                repository = self.repository(f"projekt {name}")
                self.config(repository)
                result = self.run_plan(repository, ONE, environment=environment)
                self.assertEqual(
                    f"note: no sandbox: {why}, so agents and checks can change your repository and .sdd; {fix}, "
                    "or set sandbox: off in bernstein.yaml if that is all right\n",
                    result.err,
                )
                self.assertEqual(["off"], [e["payload"]["sandbox"] for e in self.events(repository, "AgentStarted")])
                self.assertEqual("one\n", repository.show("one.txt"))

    def test_strict_is_refused_before_anything_starts(self):
        for name, environment, text in (
            ("none", self.path_without(),
             "sandbox: strict is not possible: bubblewrap is not installed; apt-get install bubblewrap\n"),
            ("broken", self.path_with_one_that_fails(),
             "sandbox: strict is not possible: bubblewrap does not work here (bwrap: No permissions to create new "
             "namespace); let this machine, or the container's host, allow user namespaces\n"),
        ):  # fmt: skip
            with self.subTest(name):
                repository = self.repository(f"projekt {name}")
                self.config(repository, "sandbox: strict")
                self.assertEqual("bernstein: " + text, self.refused(repository, ONE, code=6, environment=environment))

    def test_off_asks_nobody(self):
        repository = self.repository()
        self.config(repository, "sandbox: off")
        result = self.run_plan(repository, ONE, environment=self.path_without())
        self.assertEqual("", result.err)


if __name__ == "__main__":
    unittest.main()
