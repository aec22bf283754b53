"""From a sentence to landed tasks with `bernstein -g`, with planners that answer well, badly and then well, or always badly."""

import json

import matrix

GOAL_SECONDS_MAX = 300
PLANNER_REQUESTS_MAX = 10  # a planner that never answers well is given up after a few answers
GOAL = "Greet people in two languages. GOAL-MARK"
NO_PATH = "/nowhere"  # replay needs no client, no Node and no git


def task(number, after=(), **more):
    """A task as a planner writes it; TASK-MARK-n is in its description and so in the prompt of whoever works on it."""
    path = f"greeting{number}.txt"
    return {"id": f"greet{number}", "title": f"Greeting {number}", "description": f"Write {path}. TASK-MARK-{number}.",
            "role": "backend", "files": [path], "depends_on": list(after), **more}  # fmt: skip


def plan(*tasks):
    """An answer as the JSON Schema of Bernstein wants it: a plan.yaml with one stage."""
    return json.dumps({"name": "Greetings", "stages": [{"name": "greet", "depends_on": [], "steps": list(tasks)}]})


def unmarked(*tasks):
    """The same without marks: a faulty answer may be quoted to the planner, which must not be taken for a worker then."""
    return plan(*tasks).replace("TASK-MARK", "UNMARKED")


GOOD = plan(task(1), task(2, ["greet1"]))
# Nobody has a script for the third task, so its agent changes nothing; the planner is asked for others in its place.
IN_NEED = plan(task(3, title="Both greetings"))
PARTS = plan(task(1), task(2))


def bad_answers(trap):
    """Answers that must not become a run as they are; `trap` is a file that a command of a planner would make."""
    return {
        "prose": "First I would look at the code, and then I would greet people.",
        "invalid JSON": unmarked(task(1))[:-2],
        "cycle": unmarked(task(1, ["greet2"]), task(2, ["greet1"])),
        "10,000 tasks": unmarked(*[task(number) for number in range(10_000)]),
        "absolute path": unmarked(task(1, files=["/etc/passwd"])),
        "command as check": unmarked(task(1, completion_signals=[{"type": "test_passes", "command": f"touch '{trap}'"}])),
    }


def _scripts(*answers):
    workers = [{"match": f"TASK-MARK-{number}.", "steps": [
        {"write": {"path": f"greeting{number}.txt", "content": "hello\n"}}, {"say": "Done."}]} for number in (1, 2)]  # fmt: skip
    # The planner is told of tasks too, when one is to be split; whoever works on a task is not told the goal.
    return [{"match": "GOAL-MARK", "plain": True, "attempts": [[{"answer": answer}] for answer in answers]}, *workers]


def _run(bench, name, answers, judge):
    """judge(place, result, planner's requests) -> what was wrong."""
    with bench.place([name]) as place:
        place.config(cli=name, limits={"attempts": 1, "agent_timeout": f"{matrix.AGENT_SECONDS}s"})
        place.model.play(_scripts(*(answers(place) if callable(answers) else answers)))
        result = place.bernstein("-g", GOAL, "--agent", name, seconds=GOAL_SECONDS_MAX)
        asked = sum(request.get("script") == "GOAL-MARK" for request in place.model.requests())
        wrong = judge(place, result, asked)
        if result.late:
            wrong.append(f"it had not ended after {GOAL_SECONDS_MAX} s")
        return result, asked, wrong + [f"left behind: {line}" for line in place.end()]


def _all_landed(place, result, asked):
    if result.code != 0:
        return [str(result)]
    wrong = []
    files = place.git("ls-tree", "-r", "--name-only", "main").split()
    if not {"greeting1.txt", "greeting2.txt"} <= set(files):
        wrong.append(f"main has {files}")
    divergences = place.replay(path=NO_PATH)
    if divergences != 0:
        wrong.append(f"replay without Node: {divergences}")
    return wrong


def _trap(place):
    return place.directory / "trap"


def goal(bench, names):
    wrong = []
    for name in names:
        result, asked, faults = _run(bench, name, [GOOD], _all_landed)
        print(f"goal: {name}: exit {result.code}, {asked} answers of the planner, {result.seconds:.0f} s", flush=True)
        wrong += [f"goal: {name}: {what}" for what in faults]
    result, asked, faults = _run(bench, names[0], [IN_NEED, PARTS], _all_landed)
    print(f"goal: {names[0]}, split: exit {result.code}, {asked} answers, {result.seconds:.0f} s", flush=True)
    wrong += [f"goal: split: {what}" for what in faults]

    def work(case):
        word, is_mended = case
        answers = lambda place: [bad_answers(_trap(place))[word], *([GOOD] if is_mended else [])]  # noqa: E731

        def judge(place, result, asked):
            found = ["its command was run"] if _trap(place).exists() else []
            if is_mended:
                return found + _all_landed(place, result, asked) + (["the planner was not asked again"] if asked < 2 else [])
            if result.code == 0 or "greeting1.txt" in place.git("ls-tree", "-r", "--name-only", "main").split():
                found.append(f"it was not refused: {result}")
            return found + ([f"the planner was asked {asked} times"] if asked > PLANNER_REQUESTS_MAX else [])

        result, asked, faults = _run(bench, names[0], answers, judge)
        then = "repaired" if is_mended else "refused"
        print(f"goal: {names[0]}, {word}, {then}: exit {result.code}, {asked} answers, {result.seconds:.0f} s", flush=True)
        return [f"goal: {word}, {then}: {what}" for what in faults]

    cases = [(word, is_mended) for word in bad_answers("") for is_mended in (True, False)]
    return wrong + [what for faults in matrix.side_by_side(work, cases) for what in faults]
