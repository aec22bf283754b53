"""The record: replay, audit, queries, and a log that can only grow."""

import hashlib
import json
import re
import shutil
import sqlite3
import struct
import unittest

from support import EndToEnd, Repository
from test_run import TWELVE

PLAN = """
stages:
  - name: one
    steps:
      - {title: "A", files: [a.txt], description: "RUN: echo $ATTEMPT > a.txt",
         completion_signals: [{type: test_passes, command: "grep -q 2 a.txt"}]}
      - {title: "B", files: [b.txt], description: "RUN: echo b > b.txt"}
  - name: two
    depends_on: [one]
    steps:
      - {title: "C", files: [a.txt], description: "RUN: echo c >> a.txt"}
"""

# Every step waits for the one before it, so nothing ever happens at the same time.
CHAIN = """
stages:
  - name: one
    steps:
      - {title: "A", id: a, files: [a.txt], description: "RUN: echo a > a.txt"}
      - {title: "B", id: b, depends_on: [a], files: [b.txt], description: "RUN: echo $ATTEMPT > b.txt",
         completion_signals: [{type: test_passes, command: "grep -q 2 b.txt"}]}
      - {title: "C", depends_on: [b], files: [c.txt], description: "RUN: cat a.txt b.txt > c.txt; echo > d.txt"}
  - name: two
    depends_on: [one]
    steps:
      - {title: "D", files: [d.txt], description: "RUN: cat c.txt >> d.txt"}
"""


def chain_hash(row):
    """The second implementation of the chain (event/record.hpp has the format)."""

    def text(value):
        data = value.encode()
        return struct.pack(">I", len(data)) + data

    def integer(value):
        return struct.pack(">q", value)

    return hashlib.sha256(
        text("bernstein-event/1") + integer(row["seq"]) + text(row["run"]) + integer(row["run_seq"]) + text(row["kind"])
        + text(row["type"]) + integer(row["version"]) + integer(row["cause"] or 0) + text(row["subject"])
        + integer(row["at_us"]) + integer(row["wall_us"]) + text(row["payload"]) + as_bytes(row["prev_hash"])
    ).digest()  # fmt: skip


def as_bytes(value):
    return bytes.fromhex(value) if isinstance(value, str) else bytes(value)


class Replay(EndToEnd):
    def copy_of(self, repository):
        shutil.copytree(repository.root, self.directory / "copy", symlinks=True)
        return Repository(self.directory / "copy", self.environment)

    def alter(self, repository, event_type, change):
        """Changes the payload of the last event of a type, drops the guards and makes the chain right again. Its seq."""
        database = sqlite3.connect(repository.sdd / "state.db")
        database.row_factory = sqlite3.Row
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        rows = [dict(row) for row in database.execute("SELECT * FROM events ORDER BY seq")]
        seq = [row["seq"] for row in rows if row["type"] == event_type][-1]
        previous = None
        for row in rows:
            self.assertEqual(chain_hash(row), as_bytes(row["hash"])) if previous is None else None
            if row["seq"] == seq:
                payload = json.loads(row["payload"])
                change(payload)
                row["payload"] = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            if previous is not None:
                row["prev_hash"] = previous if isinstance(row["prev_hash"], bytes) else previous.hex()
            previous = chain_hash(row)
            row["hash"] = previous if isinstance(row["hash"], bytes) else previous.hex()
            database.execute(
                "UPDATE events SET payload = ?, prev_hash = ?, hash = ? WHERE seq = ?",
                (row["payload"], row["prev_hash"], row["hash"], row["seq"]),
            )
        database.commit()
        database.close()
        return seq

    def test_a_run_replays_without_divergence_and_an_altered_decision_is_named(self):
        repository = self.repository()
        self.config(repository)
        self.run_plan(repository, PLAN)
        result = self.bernstein(repository, "replay", "--json")
        report = result.json()
        self.assertEqual(0, result.code, str(result))
        self.assertEqual(["run", "events", "decisions", "divergences", "first_divergence", "state_hash"], list(report))
        self.assertEqual(("r1", 0, None), (report["run"], report["divergences"], report["first_divergence"]))
        self.assertEqual(len(self.events(repository)), report["events"])
        derived = [e for e in self.events(repository) if e["kind"] in ("decision", "intent")]
        self.assertEqual(len(derived), report["decisions"])

        # The digits are those of the log alone: a copy without its repository gives the same.
        copy = self.copy_of(repository)
        again = self.bernstein(copy, "replay", "r1", "--json").json()
        self.assertEqual(report, again)

        seq = self.alter(copy, "RouteChosen", lambda payload: payload.update(why="because"))
        result = self.bernstein(copy, "replay", "r1", "--json")
        self.assertEqual(3, result.code, str(result))
        self.assertEqual((1, seq), (result.json()["divergences"], result.json()["first_divergence"]["seq"]))
        self.assertIn("because", result.json()["first_divergence"]["recorded"])
        self.assertNotIn("because", result.json()["first_divergence"]["recomputed"])
        self.assertIn(str(seq), self.bernstein(copy, "replay", "r1").out)

        # The anchor in the repository of the copy is what the chain does not reach any more.
        audit = self.bernstein(copy, "audit", "--json")
        self.assertEqual((3, False), (audit.code, audit.json()["ok"]), str(audit))

    def test_audit_looks_into_git_and_blames_nobody_for_what_a_person_did(self):
        repository = self.repository()
        self.config(repository)
        base = repository.tip()
        self.run_plan(repository, PLAN)
        landed = repository.tip()
        self.assertEqual([], self.bernstein(repository, "audit", "--json").json()["git"])

        repository.git("reset", "-q", "--hard", base)
        audit = self.bernstein(repository, "audit", "--json")
        self.assertEqual((0, True), (audit.code, audit.json()["ok"]), str(audit))
        self.assertEqual([("landing_gone", False)], [(f["kind"], f["violation"]) for f in audit.json()["git"]])
        repository.git("reset", "-q", "--hard", landed)

        before = repository.fingerprint()
        (repository.sdd / "worktrees" / "session-r1-t1.1").mkdir(parents=True)
        audit = self.bernstein(repository, "audit", "--json")
        self.assertEqual((3, False), (audit.code, audit.json()["ok"]), str(audit))
        self.assertEqual([("left_behind", True)], [(f["kind"], f["violation"]) for f in audit.json()["git"]])
        self.assertEqual(before, repository.fingerprint())

    def test_a_row_changed_in_place_breaks_the_chain_where_it_stands(self):
        repository = self.repository()
        self.config(repository)
        self.run_plan(repository, PLAN)
        database = sqlite3.connect(repository.sdd / "state.db")
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE events SET payload = replace(payload, 'a.txt', 'x.txt') WHERE seq = 3")
        database.commit()
        database.close()
        audit = self.bernstein(repository, "audit", "--json")
        self.assertEqual(3, audit.code, str(audit))
        self.assertEqual(3, audit.json()["first_bad"]["seq"])

    def stories_of_two_runs(self, plan):
        """The decisions of two runs of a plan with one agent at a time, each in a fresh clone; object ids blanked."""
        original = self.repository("original")
        self.config(original)
        stories = []
        for name in ("clone one", "clone two ü"):
            clone = original.clone_to(self.directory / name)
            self.run_plan(clone, plan, "--max-agents", "1", "--seed", "7")
            story = []
            for event in self.events(clone):
                if event["kind"] in ("decision", "intent"):
                    payload = json.dumps(event["payload"], sort_keys=True)
                    story.append((event["type"], event["subject"], event["seq"], event["cause"],
                                  re.sub(r"\b[0-9a-f]{40,64}\b", "<id>", payload)))  # fmt: skip
            stories.append(story)
        return stories

    def test_two_runs_of_one_plan_decide_alike_but_for_times_and_object_ids(self):
        one, other = self.stories_of_two_runs(CHAIN)
        self.assertEqual(1, [entry[:2] for entry in one].count(("TaskRetried", "t2")), "a retry is part of it")
        self.assertGreater(len(one), 20)
        self.assertEqual(one, other)

    def test_two_runs_of_independent_tasks_decide_alike_but_for_times_and_object_ids(self):
        one, other = self.stories_of_two_runs(TWELVE)
        self.assertGreater(len(one), 60)
        self.assertEqual(one, other)

    def test_the_seed_is_recorded_and_given_seeds_are_kept(self):
        repository = self.repository()
        self.config(repository)
        self.run_plan(repository, PLAN, "--seed", "12345")
        self.run_plan(repository, PLAN.replace("a.txt", "d.txt").replace("b.txt", "e.txt"))
        seeds = [self.events(repository, "RunStarted", run=run)[0]["payload"]["seed"] for run in ("r1", "r2")]
        self.assertEqual(12345, seeds[0])
        self.assertTrue(0 <= seeds[1] < 2**53)


class Log(EndToEnd):
    def setUp(self):
        super().setUp()
        self.project = self.repository()
        self.config(self.project)
        self.run_plan(self.project, PLAN)

    def test_queries_answer_as_objects_and_as_csv(self):
        result = self.bernstein(self.project, "sql", "--json", "SELECT task, status, attempts FROM tasks ORDER BY task")
        self.assertEqual(0, result.code, str(result))
        self.assertEqual(
            [
                {"task": "t1", "status": "landed", "attempts": 2},
                {"task": "t2", "status": "landed", "attempts": 1},
                {"task": "t3", "status": "landed", "attempts": 1},
            ],
            result.json(),
        )
        result = self.bernstein(self.project, "sql", "--csv", "SELECT run, count(*) AS n FROM events GROUP BY run")
        self.assertEqual(["run,n", f"r1,{len(self.events(self.project))}"], result.out.split())

    def test_the_views_of_the_contract_are_there(self):
        columns = {
            "runs": "run goal outcome started_us ended_us tasks landed failed cost_micros",
            "tasks": "run task title role status attempts agent model cost_micros commit_id",
            "attempts": "run task attempt agent model started_us ended_us outcome exit_code input_tokens output_tokens "
                        "cached_tokens cost_micros cost_source",
            "routes": "run task attempt arm rule propensity features scores",
            "checks": "run task attempt name tree verdict duration_us cached",
            "merges": "run task attempt commit_id parent_id tree landed_us",
            "costs": "run day role task attempt agent model input_tokens output_tokens cost_micros",
            "events": "seq run run_seq kind type version cause subject at_us wall_us payload prev_hash hash",
        }  # fmt: skip
        for view, names in columns.items():
            with self.subTest(view):
                rows = self.rows(self.project, f"SELECT {', '.join(names.split())} FROM {view}")
                self.assertGreater(len(rows), 0)

    def test_a_query_that_would_write_is_refused(self):
        for query in ("DELETE FROM events", "UPDATE events SET type = 'x'", "DROP VIEW runs", "SELECT 1; SELECT 2",
                      "PRAGMA user_version = 7", "ATTACH 'x.db' AS x"):  # fmt: skip
            with self.subTest(query):
                before = self.events(self.project)
                result = self.bernstein(self.project, "sql", query)
                self.assertEqual(2, result.code, str(result))
                self.assertEqual(before, self.events(self.project))

    def test_the_database_itself_refuses_to_change_or_lose_an_event(self):
        database = sqlite3.connect(self.project.sdd / "state.db")
        self.addCleanup(database.close)
        row = database.execute("SELECT * FROM events WHERE seq = 5").fetchone()
        marks = ", ".join("?" * len(row))
        for statement, values in [
            ("UPDATE events SET payload = '{}' WHERE seq = 5", ()),
            ("DELETE FROM events WHERE seq = 5", ()),
            (f"INSERT OR REPLACE INTO events VALUES ({marks})", row),
            (f"REPLACE INTO events VALUES ({marks})", row),
            (f"INSERT INTO events VALUES ({marks})", (10**6, *row[1:])),
        ]:
            with self.subTest(statement):
                with self.assertRaises(sqlite3.DatabaseError):
                    database.execute(statement, values)
                database.rollback()
        self.assertEqual(0, self.bernstein(self.project, "audit").code)

    def test_status_of_the_past_and_events_line_by_line(self):
        status = self.bernstein(self.project, "status", "--json")
        self.assertEqual(["run", "outcome", "tasks", "cost_usd", "wall_s", "events"], list(status.json()))
        self.assertEqual("landed", status.json()["outcome"])
        lines = self.bernstein(self.project, "events", "--json").out.splitlines()
        self.assertEqual([e["seq"] for e in self.events(self.project)], [json.loads(line)["seq"] for line in lines])


if __name__ == "__main__":
    unittest.main()
