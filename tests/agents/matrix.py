"""The matrix of tools/agents-e2e: what Bernstein has to do with every real client, case by case.

A case gets a directory, makes a model and a place of its own in it, prints what it saw, and returns what was wrong as
sentences. Nothing here knows how a client is called: that is the catalog's, which is under test.
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import tempfile
import threading
import time

import costs
import rig

CLIENTS_AT_ONCE = 2  # more starve each other on two cores
MIXED_TASKS = 12
MIXED_SECONDS_MAX = 400
AGENT_SECONDS = 60
LIMITS = {"attempts": 1, "agent_timeout": f"{AGENT_SECONDS}s", "no_progress": "20s", "quota_attempts": 2, "quota_wait": "2s"}
FAULT_SECONDS_MAX = 2 * AGENT_SECONDS + 30  # quota_attempts times, and Bernstein's own time


@dataclasses.dataclass
class Bench:
    """What all cases share."""

    program: str
    directory: pathlib.Path
    keep: bool = False

    def place(self, names, **options):
        return _Bench(self, names, options)


class _Bench:
    """A model and a place that live as long as a case."""

    def __init__(self, bench, names, options):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="case-", dir=bench.directory))
        self.model = rig.ScriptedModel(directory)
        self.make = lambda: rig.Place(directory / "place", bench.program, self.model, names, keep=bench.keep, **options)

    def __enter__(self):
        self.model.__enter__()
        try:
            self.place = self.make()
            return self.place.__enter__()
        except BaseException:
            self.model.__exit__()
            raise

    def __exit__(self, *problem):
        self.place.__exit__(*problem)
        self.model.__exit__()


def side_by_side(work, cases):
    """Results of work(case), in the order of cases, a few at a time."""
    pool = concurrent.futures.ThreadPoolExecutor(CLIENTS_AT_ONCE)
    try:
        return list(pool.map(work, cases))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


# ---- mixed ---------------------------------------------------------------------------------------------------------------


def mixed(bench, names, tasks=MIXED_TASKS):
    """One plan with several clients: all lands, every token is accounted for, and the log can be derived again."""
    begin = time.monotonic()
    scripts, steps = [], []
    for number in range(1, tasks + 1):
        name = names[(number - 1) % len(names)]
        path = f"part{number}/{name}.txt"
        mark = f"MIXED-{number:02}."
        usage = {"input": 1000 + 10 * number, "cached": 300 + number, "output": 40 + number, "reasoning": number % 3}
        scripts.append({"match": mark, "usage": usage, "steps": [
            {"run": f"mkdir part{number}"},  # Copilot's own tool for writing makes no directories
            {"write": {"path": path, "content": f"{name}\n"}}, {"run": f"echo checked >> {path}"}, {"say": "Done."}]})  # fmt: skip
        steps.append({"title": f"Part {number}", "description": f"Write {path}. {mark}", "cli": name, "files": [f"part{number}/"],
                      "completion_signals": [{"type": "file_contains", "path": path, "contains": "checked"}]})  # fmt: skip
    wrong = []
    with bench.place(names) as place:
        place.config(max_agents=CLIENTS_AT_ONCE)
        place.model.play(scripts)
        result = place.bernstein("run", place.plan(steps), "--json", seconds=MIXED_SECONDS_MAX)
        if result.code != 0:
            wrong.append(f"mixed: {result}")
        if result.code != 2:
            wrong += _compare_usage(place)
            landed = len(place.landed())
            divergences = place.replay()
            if landed != tasks:
                wrong.append(f"mixed: {landed} of {tasks} tasks landed")
            if divergences != 0:
                wrong.append(f"mixed: replay found {divergences} divergences")
            print(f"mixed: {landed} of {tasks} tasks of {', '.join(names)} landed in {time.monotonic() - begin:.0f} s, "
                  f"{divergences} divergences", flush=True)  # fmt: skip
        wrong += [f"mixed: left behind: {line}" for line in place.end()]
    return wrong


def _compare_usage(place):
    """What the attempts say that they used and cost against what the model knows that it sent."""
    sent, by_model, side = place.model.usage(), place.model.usage_by_model(), place.model.usage_by_model("auxiliary")
    columns = "run, task, attempt, agent, model, input_tokens, cached_tokens, output_tokens, cost_micros, cost_source"
    rows = place.rows(f"SELECT {columns} FROM attempts ORDER BY task, attempt")
    seen, wrong, exact, right = {}, [], 0, []
    for row in rows:
        task = int(str(row["task"]).lstrip("t"))
        index = seen[task] = seen.get(task, -1) + 1
        key = (f"MIXED-{task:02}.", index)
        truth = sent.get(key)
        told = {"input": row["input_tokens"], "cached": row["cached_tokens"], "output": row["output_tokens"]}
        if truth is not None and all(told[word] == truth[word] for word in told):
            exact += 1
        elif not (row["agent"] == "continue" and set(told.values()) == {None}):  # it tells no usage; unknown is the truth
            wrong.append(f"mixed: t{task} by {row['agent']}: told {told}, sent {truth}")
        log = place.log(f"t{task}.{row['attempt']}", row["run"])
        verdict = costs.compare(row, by_model.get(key, {}), log, rig.PRICES)
        models = ", ".join(by_model.get(key, {}))
        print(f"mixed: t{task} by {row['agent']} with {models}: {verdict}", flush=True)
        if verdict.wrong:
            wrong.append(f"mixed: cost of t{task} by {row['agent']}: {verdict.wrong}")
        else:
            right.append(verdict.source)
    requests = sum(told["requests"] for models in side.values() for told in models.values())
    print(f"mixed: {requests} side requests of clients (titles, summaries) are in no count of theirs", flush=True)
    known = len(right) - right.count("unknown")
    print(f"mixed: tokens {exact} of {len(rows)}, cost {known} of {len(rows)} ({right.count('computed')} computed, "
          f"{right.count('reported')} reported), {right.count('unknown')} unknown as the catalog says", flush=True)  # fmt: skip
    return wrong


# ---- faults --------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    steps: list
    outcomes: frozenset  # words of AgentExited.outcome
    classes: frozenset  # words of AttemptFailed.class
    may_time_out: bool = False  # some clients retry for longer than an attempt may take


def _fault(name, kind, outcomes, classes, may_time_out=False, **more):
    steps = [{"fail": {"kind": kind, **more}}, {"write": {"path": "right.txt", "content": "too late\n"}}]
    return Fault(name, steps, frozenset(outcomes.split()), frozenset(classes.split()), may_time_out)


def _behaviour(name, *steps):
    return Fault(name, list(steps), frozenset({"done"}), frozenset({"task"}))


FAULTS = [
    _fault("401", "401", "auth", "environment"),
    _fault("403", "403", "auth", "environment"),
    _fault("429", "429", "quota", "quota", may_time_out=True, retryAfter=1),
    _fault("quota", "quota", "quota", "quota", may_time_out=True),
    _fault("529", "529", "overload", "quota", may_time_out=True),
    _fault("500", "500", "overload", "quota", may_time_out=True),
    _fault("hang", "hang", "done crash overload", "task quota", may_time_out=True),
    _fault("truncate", "truncate", "overload crash", "quota task", may_time_out=True),
    _fault("overflow", "overflow", "context", "task"),
    _fault("refusal", "refusal", "refusal done", "task"),
    _behaviour("wrong file", {"write": {"path": "wrong.txt", "content": "x\n"}}, {"say": "Done."}),
    _behaviour("outside", {"write": {"path": "../../../outside.txt", "content": "x\n"}}, {"say": "Done."}),
    _behaviour("nothing", {"say": "Done."}),
]
FAULTS_SHORT = ("401", "quota", "nothing")


@dataclasses.dataclass
class Observed:
    """What became of a fault, for the table and for judgement."""

    outcomes: list
    flags: set
    classes: list
    attempts: int
    requests: int
    consequence: str
    message: str
    seconds: float


def faults(bench, names, only=None):
    """Each fault with each client: nothing lands, it ends in time, and it is called by its name."""
    chosen = [fault for fault in FAULTS if only is None or fault.name in only]
    cases = [(name, fault) for name in names for fault in chosen]
    row = "{:9} {:11} {:18} {:12} {:28} {:>4} {:>4} {:>5}  {}"
    print(row.format("client", "fault", "outcome", "class", "consequence", "try", "req", "s", "message"), flush=True)

    def work(case):
        name, fault = case
        observed, wrong = _one_fault(bench, name, fault)
        if observed:
            outcome = " ".join([*dict.fromkeys(observed.outcomes), *sorted(observed.flags)])
            print(row.format(name, fault.name, outcome, " ".join(dict.fromkeys(observed.classes)), observed.consequence,
                             observed.attempts, observed.requests, round(observed.seconds), observed.message[:60]),
                  flush=True)  # fmt: skip
        return [f"{name} × {fault.name}: {what}" for what in wrong]

    return [what for wrong in side_by_side(work, cases) for what in wrong]


def _one_fault(bench, name, fault):
    with bench.place([name]) as place:
        before = place.config(limits=LIMITS)
        place.model.play([{"match": "MARK-FAULT", "steps": fault.steps}])
        plan = place.plan([{"title": "Right", "description": "Write right.txt. MARK-FAULT", "cli": name, "files": ["right.txt"],
                            "completion_signals": [{"type": "path_exists", "path": "right.txt"}]}])  # fmt: skip
        result = place.bernstein("run", plan, seconds=FAULT_SECONDS_MAX)
        if result.code == 2:
            return None, [str(result)]
        observed = _observe(place, result)
        wrong = []
        if result.late:
            wrong.append(f"it had not ended after {FAULT_SECONDS_MAX} s")
        if result.code == 0:
            wrong.append("the run says that all is done")
        if place.landed() or place.git("rev-parse", "main") != before:
            wrong.append("something landed")
        if place.git("status", "--porcelain"):
            wrong.append(f"the checkout was changed: {place.git('status', '--porcelain')}")
        ran_out = fault.may_time_out and observed.flags & {"timed_out", "stalled"}
        if not observed.outcomes:
            wrong.append(f"no agent has exited: {result}")
        for outcome in observed.outcomes:
            if outcome not in fault.outcomes and not ran_out:
                words = " or ".join(sorted(fault.outcomes))
                wrong.append(f"its outcome is {outcome}, not {words} (it said: {observed.message})")
        for word in observed.classes:
            if word not in fault.classes and not (ran_out and word == "task"):
                wrong.append(f"the class of its failure is {word}, not {' or '.join(sorted(fault.classes))}")
        if place.replay() != 0:
            wrong.append("replay diverges")
        wrong += [f"left behind: {line}" for line in place.end()]
        return observed, list(dict.fromkeys(wrong))


def _observe(place, result):
    exits = place.payloads("AgentExited")
    ended = place.payloads("RunFinished")
    return Observed(
        outcomes=[exit["outcome"] for exit in exits],
        flags={word for exit in exits for word in ("timed_out", "stalled") if exit.get(word)},
        classes=[failure["class"] for failure in place.payloads("AttemptFailed")],
        attempts=len(exits),
        requests=sum(1 for request in place.model.requests() if request["kind"] in ("turn", "fault")),
        consequence=f"exit {result.code}, {ended[-1]['outcome'] if ended else 'no end'}",
        message=next((exit.get("message", "") for exit in reversed(exits)), ""),
        seconds=result.seconds,
    )


# ---- secrets -------------------------------------------------------------------------------------------------------------

SECRETS_LOOKED_AT = [
    ["logs", "t1"], ["why", "t1"], ["events", "latest", "--json"], ["status", "--json"],
    ["sql", "--json", "SELECT * FROM events"], ["sql", "--json", "SELECT * FROM attempts"],
]  # fmt: skip


def _kind_of(file):
    """A file of .sdd without the digest in its name, so that many are one fault."""
    return f".sdd/{file.parts[0]}/..." if file.parts[0] in ("blobs", "agents") else f".sdd/{file}"


def secrets(bench, names):
    """The key of a run is in no event, blob, log, prompt, message or command line, even when the client prints it."""
    return [what for wrong in side_by_side(lambda name: _secret(bench, name), names) for what in wrong]


def _secret(bench, name):
    with bench.place([name]) as place:
        place.config(limits={"attempts": 2, "agent_timeout": f"{2 * AGENT_SECONDS}s"})
        key = place.key
        # A shell that the client starts prints it, the model repeats it, and the next attempt is told what this one said.
        look = [{"run": "env | grep -i key; echo once > seen.txt"}, {"say": f"The key is {key}, I think."}]
        place.model.play([{"match": "MARK-SECRET", "attempts": [look, [{"run": "env | grep -i key; echo twice > seen.txt"}]]}])
        plan = place.plan([{"title": "Look", "description": "Look around. MARK-SECRET", "cli": name, "files": ["seen.txt"],
                            "completion_signals": [{"type": "file_contains", "path": "seen.txt", "contains": "twice"}]}])  # fmt: skip
        result = place.bernstein("run", plan, "-v", sample=True)
        wrong = [str(result).replace(key, "<KEY>")] if result.code != 0 else []
        files = [file for file in (place.repository / ".sdd").rglob("*") if file.is_file() and not file.is_symlink()]
        texts = [(_kind_of(file.relative_to(place.repository / ".sdd")), file.read_bytes().decode(errors="replace")) for file in files]
        texts += [("stdout", result.out), ("stderr", result.err), *(("a command line", line) for line in result.commands)]
        for command in SECRETS_LOOKED_AT:
            looked = place.bernstein(*command)
            texts.append((f"what `bernstein {' '.join(command)}` says", looked.out + looked.err))
        wrong += [f"the key is in {where}" for where, text in texts if key in text]
        said = any(key in str(request.get("lastResult", "")) for request in place.model.requests())
        print(f"secrets: {name}: {len(files)} files, {len(result.commands)} command lines; "
              f"the client's shell {'printed' if said else 'did not print'} the key; {len(wrong)} faults", flush=True)  # fmt: skip
        return [f"secrets: {name}: {what}" for what in dict.fromkeys(wrong)]


# ---- doctor --------------------------------------------------------------------------------------------------------------

DOCTOR_USAGE = {"input": 1010, "cached": 300, "output": 41, "reasoning": 1}
DOCTOR_SECONDS_MAX = 150  # it gives each client 60
# Whose read-only session says nothing of tokens, or says it elsewhere than its other one: unknown is the truth.
DOCTOR_TELLS_NO_TOKENS = ("gemini", "continue")


def doctor(bench, names):
    """doctor --probe with the real clients: each is whole, answers a word, and tells what that has cost; and without a key,
    with a bad one, or with a service that hangs, each has a line that says so."""
    return [what for wrong in side_by_side(lambda name: _doctor(bench, name), names) for what in wrong]


def _doctor(bench, name):
    with bench.place([name]) as place:
        word = {"match": "one word: ready", "usage": DOCTOR_USAGE, "steps": [{"say": "ready"}]}
        place.model.play([word])
        wrong, found = _probe(place, name)
        fact = found.get("model", {"fact": "nothing of its model"})["fact"]
        print(f"doctor: {name}: {fact}", flush=True)
        wrong += [f"{check['id']}: {check['fact']}" for check in found.values() if check["status"] != "ok"]
        sent = {kind: sum(told[kind] for told in place.model.usage().values()) for kind in costs.KINDS}  # Qwen asks twice
        if not fact.startswith(f"{name} with ") or "answered 'ready' in " not in fact:
            wrong.append(f"it was not asked as it should be: {fact} (sent: {sent})")
        elif name in DOCTOR_TELLS_NO_TOKENS:
            wrong += [] if "it does not tell what that cost" in fact else [f"tokens, from where? {fact}"]
        elif _words_of(sent) not in fact:
            wrong.append(f"{sent} were sent, it says: {fact}")
        for fault, outcome in (("401", "auth"), ("quota", "quota"), ("hang", "not answered")):
            place.model.play([{**word, "steps": [{"fail": {"kind": fault}}]}])
            more, found = _probe(place, name)
            told = found.get("model", {"status": "missing", "fact": "", "fix": ""})
            print(f"doctor: {name}: {fault}: {told['fact']} (fix: {told['fix']})", flush=True)
            late = "not answered in" in told["fact"]  # some retry for longer than a minute
            if told["status"] != "warn" or not (outcome in told["fact"] or late) or not told["fix"]:
                wrong.append(f"{fault}: {told}")
            wrong += more
        wrong += [f"left behind: {line}" for line in place.end()]
        return [f"doctor: {name}: {what}" for what in wrong]


def _words_of(sent):
    return f"{sent['input'] + sent['cached']:,} tokens in ({sent['cached']:,} from a cache), {sent['output']:,} out"


def _probe(place, name):
    """What is wrong, and the lines of doctor --probe about a client: {"": ..., "login": ..., "flags": ..., "model": ...}."""
    result = place.bernstein("doctor", "--probe", "--json", seconds=DOCTOR_SECONDS_MAX)
    if result.code != 0:
        return [str(result)], {}
    if place.key in result.out + result.err:
        return ["the key is in what it says"], {}
    own = {check["id"].removeprefix(f"agent.{name}").lstrip("."): check for check in result.json()["checks"]
           if check["id"] == f"agent.{name}" or check["id"].startswith(f"agent.{name}.")}  # fmt: skip
    left = [line for pid in rig.processes_of(str(place.directory)) if (line := rig.command_line(pid))]
    return [f"still running: {line}" for line in left], own


# ---- idle ----------------------------------------------------------------------------------------------------------------

IDLE_SECONDS = 60  # measured, after IDLE_SETTLE_SECONDS of waiting
IDLE_SETTLE_SECONDS = 15
IDLE_WINDOW = 15  # seconds between two looks of bernstein-exec, where limits.no_progress is its default
IDLE_SHARE_MAX = 0.10  # what src/exec/heartbeat.cpp takes for progress


def idle(bench, names):
    """What each client burns that waits for a server which never answers: less than what is taken for progress."""
    return [what for wrong in side_by_side(lambda name: _idle(bench, name), names) for what in wrong]


def _idle(bench, name):
    with bench.place([name]) as place:
        place.config(limits={"attempts": 1, "agent_timeout": "10m", "no_progress": "1h"})
        place.model.play([{"match": "MARK-IDLE", "steps": [{"fail": {"kind": "hang"}}]}])
        plan = place.plan([{"title": "Wait", "description": "Wait. MARK-IDLE", "cli": name, "files": ["a.txt"]}])
        run = threading.Thread(target=place.bernstein, args=("run", plan), daemon=True)
        run.start()
        deadline = time.monotonic() + AGENT_SECONDS
        while not any(request["kind"] == "fault" for request in place.model.requests()):
            if time.monotonic() > deadline:
                return [f"idle: {name} has asked for nothing within {AGENT_SECONDS} s"]
            time.sleep(0.5)
        time.sleep(IDLE_SETTLE_SECONDS)
        shares = []
        for _ in range(IDLE_SECONDS // IDLE_WINDOW):
            before, begin = _cpu_seconds(place), time.monotonic()
            time.sleep(IDLE_WINDOW)
            after, elapsed = _cpu_seconds(place), time.monotonic() - begin
            shares.append(sum(used - before.get(pid, used) for pid, used in after.items()) / elapsed)
        if not after:
            return [f"idle: {name} did not wait"]
        print(f"idle: {name} uses {sum(shares) / len(shares):.1%} of a core, {max(shares):.1%} in the busiest {IDLE_WINDOW} s",
              flush=True)  # fmt: skip
        place.end()
        run.join()
        return [f"idle: {name} uses {max(shares):.1%} of a core in {IDLE_WINDOW} s"] if max(shares) >= IDLE_SHARE_MAX else []


def _cpu_seconds(place):
    """{pid: seconds of CPU time} of what a place has started, Bernstein's own programs left out."""
    seconds = {}
    for pid in rig.processes_of(str(place.directory)):
        try:
            program = pathlib.Path(f"/proc/{pid}/exe").readlink().name
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        if program not in ("bernstein", "bernstein-exec"):
            fields = stat[stat.rfind(")") + 2 :].split()
            seconds[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds
