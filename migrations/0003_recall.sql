-- What a run asks about the runs before it: whether a check has passed on a tree, and how a conflict was settled. Partial
-- indexes, so that appending any other event costs nothing.
CREATE INDEX passed_checks ON events (json_extract(payload, '$.key')) WHERE type = 'CheckFinished';

CREATE INDEX settled_conflicts ON events (seq)
  WHERE type = 'MergeLanded' AND json_extract(payload, '$.resolutions[0]') IS NOT NULL;
