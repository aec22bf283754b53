-- The event log. Append-only: rows are never changed, moved or removed, by any version of Bernstein.
-- The triggers guard against mistakes, ours and those made in a SQLite shell. Whoever drops them can forge rows; that is
-- what the hash chain and its anchors in git are for (docs/event-log.md).
PRAGMA application_id = 0x4245524E;  -- 'BERN'

CREATE TABLE events (
  seq       INTEGER PRIMARY KEY,  -- gapless from 1 over the file
  run       TEXT    NOT NULL CHECK (run GLOB 'r[1-9]*' AND substr(run, 2) NOT GLOB '*[^0-9]*'),
  run_seq   INTEGER NOT NULL,     -- gapless from 1 within the run
  kind      TEXT    NOT NULL CHECK (kind IN ('input', 'decision', 'intent', 'result')),
  type      TEXT    NOT NULL,
  version   INTEGER NOT NULL CHECK (version >= 1),
  cause     INTEGER NOT NULL,     -- seq of an earlier event; 0 without one
  subject   TEXT    NOT NULL,     -- 'run', 't4', 't4.2'
  at_us     INTEGER NOT NULL,     -- the run's logical clock
  wall_us   INTEGER NOT NULL,     -- since the epoch, for people
  payload   TEXT    NOT NULL CHECK (json_valid(payload)),
  prev_hash BLOB    NOT NULL CHECK (length(prev_hash) = 32),
  hash      BLOB    NOT NULL CHECK (length(hash) = 32),
  -- The only index: appending looks up the run's last row by it, and replay reads a run along it. The views scan the table:
  -- at 100,000 events an index on (type, run, subject) or (run, subject, type) saved none of them more than 20 ms.
  UNIQUE (run, run_seq)
) STRICT;

CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events BEGIN
  SELECT RAISE(ABORT, 'events are never changed');
END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events BEGIN
  SELECT RAISE(ABORT, 'events are never removed');
END;

-- INSERT OR REPLACE fires no DELETE trigger (unless recursive_triggers is on), so it is stopped here: what it would replace
-- is never the next row.
CREATE TRIGGER events_continue_the_log BEFORE INSERT ON events BEGIN
  SELECT CASE
    WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM events) THEN RAISE(ABORT, 'seq leaves a gap')
    WHEN NEW.cause < 0 OR NEW.cause >= NEW.seq THEN RAISE(ABORT, 'cause is not an earlier event')
    WHEN NEW.run_seq IS NOT last.run_seq + 1 THEN RAISE(ABORT, 'run_seq leaves a gap')
    WHEN last.run_seq > 0 AND NEW.prev_hash IS NOT last.hash THEN RAISE(ABORT, 'prev_hash is not the hash before it')
    WHEN last.run_seq > 0 AND NEW.at_us < last.at_us THEN RAISE(ABORT, 'at_us goes back')
  END
  -- hash and at_us are those of the row that has the max (SQLite, "bare columns in an aggregate query"); NULL without one.
  FROM (SELECT coalesce(max(run_seq), 0) AS run_seq, hash, at_us FROM events WHERE run = NEW.run) AS last;
END;
