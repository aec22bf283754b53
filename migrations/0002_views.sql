-- What people and programs ask the log (docs/event-log.md). Views hold nothing: a later migration may drop and replace them.
-- Each is one scan of the events with a GROUP BY; the rows that a max(seq) names are then fetched by their key. Facts about a
-- task have the subject 't4', facts about an attempt 't4.2'. Unknown is NULL.

CREATE VIEW tasks AS
SELECT fold.run,
       fold.task,
       json_extract(created.payload, '$.spec.title') AS title,
       json_extract(created.payload, '$.spec.role') AS role,
       CASE changed.type
         WHEN 'TaskCreated'        THEN 'waiting'
         WHEN 'TaskReadied'        THEN 'ready'
         WHEN 'TaskRetried'        THEN 'ready'
         WHEN 'TaskAssigned'       THEN 'running'
         WHEN 'AgentExited'        THEN 'reported'
         WHEN 'CandidateRequested' THEN 'verifying'
         WHEN 'MergeRefused'       THEN 'verifying'
         WHEN 'VerdictReached'     THEN 'verified'
         WHEN 'LandingHeld'        THEN iif(json_extract(changed.payload, '$.reason') = 'approval', 'verified', 'verifying')
         WHEN 'MergeLanded'        THEN 'landed'
         WHEN 'TaskFailed'         THEN 'failed'
         WHEN 'TaskBlocked'        THEN 'blocked'
         WHEN 'SplitWanted'        THEN 'waiting'
         WHEN 'TaskSplit'          THEN 'split'
         WHEN 'RetryWanted'        THEN 'ready'
         WHEN 'RevertRequested'    THEN 'running'
       END AS status,
       fold.attempts,
       json_extract(assigned.payload, '$.agent') AS agent,
       json_extract(assigned.payload, '$.model') AS model,
       fold.cost_micros,
       json_extract(landed.payload, '$.commit') AS commit_id
FROM (
  SELECT run,
         CASE instr(subject, '.') WHEN 0 THEN subject ELSE substr(subject, 1, instr(subject, '.') - 1) END AS task,
         max(CASE type WHEN 'TaskCreated' THEN seq END) AS created_seq,
         max(CASE type WHEN 'TaskAssigned' THEN seq END) AS assigned_seq,
         max(CASE type WHEN 'MergeLanded' THEN seq END) AS landed_seq,
         sum(type = 'TaskAssigned') AS attempts,
         sum(CASE type WHEN 'AgentExited' THEN json_extract(payload, '$.usage.cost_micros') END) AS cost_micros,
         -- An agent that failed leaves its task running, and a red verdict leaves it verifying, until what follows is decided.
         max(CASE type
               WHEN 'AgentExited' THEN iif(json_extract(payload, '$.exit_code') = 0
                                           AND NOT json_extract(payload, '$.timed_out')
                                           AND NOT json_extract(payload, '$.stalled')
                                           AND NOT json_extract(payload, '$.stopped'), seq, NULL)
               WHEN 'VerdictReached' THEN iif(json_extract(payload, '$.verdict') <> 'failed', seq, NULL)
               ELSE seq
             END) AS changed_seq
  FROM events
  WHERE type IN ('TaskCreated', 'TaskReadied', 'TaskRetried', 'TaskAssigned', 'AgentExited', 'CandidateRequested', 'LandingHeld',
                 'MergeRefused', 'VerdictReached', 'MergeLanded', 'TaskFailed', 'TaskBlocked', 'SplitWanted', 'TaskSplit',
                 'RetryWanted', 'RevertRequested')
  GROUP BY 1, 2
) AS fold
JOIN events AS created ON created.seq = fold.created_seq
JOIN events AS changed ON changed.seq = fold.changed_seq
LEFT JOIN events AS assigned ON assigned.seq = fold.assigned_seq
LEFT JOIN events AS landed ON landed.seq = fold.landed_seq
ORDER BY fold.created_seq;

CREATE VIEW attempts AS
SELECT fold.run,
       substr(fold.subject, 1, instr(fold.subject, '.') - 1) AS task,
       CAST(substr(fold.subject, instr(fold.subject, '.') + 1) AS INTEGER) AS attempt,
       json_extract(assigned.payload, '$.agent') AS agent,
       json_extract(assigned.payload, '$.model') AS model,
       assigned.wall_us AS started_us,
       ended.wall_us AS ended_us,
       -- 'landed' ('planned' of a session of the planner, whose task is 'plan'), or why not: 'task', 'quota', 'environment',
       -- 'orchestrator'. NULL while the attempt is under way.
       CASE ended.type WHEN 'MergeLanded' THEN 'landed' WHEN 'PlanAdopted' THEN 'planned' ELSE json_extract(ended.payload, '$.class') END AS outcome,
       json_extract(exited.payload, '$.exit_code') AS exit_code,
       json_extract(exited.payload, '$.usage.input_tokens') AS input_tokens,
       json_extract(exited.payload, '$.usage.output_tokens') AS output_tokens,
       json_extract(exited.payload, '$.usage.cached_tokens') AS cached_tokens,
       json_extract(exited.payload, '$.usage.cost_micros') AS cost_micros,
       json_extract(exited.payload, '$.cost_source') AS cost_source
FROM (
  SELECT run,
         subject,
         max(CASE type WHEN 'TaskAssigned' THEN seq END) AS assigned_seq,
         max(CASE type WHEN 'AgentExited' THEN seq END) AS exited_seq,
         max(CASE WHEN type IN ('MergeLanded', 'AttemptFailed', 'PlanAdopted') THEN seq END) AS ended_seq
  FROM events
  WHERE type IN ('TaskAssigned', 'AgentExited', 'MergeLanded', 'AttemptFailed', 'PlanAdopted')
  GROUP BY 1, 2
) AS fold
JOIN events AS assigned ON assigned.seq = fold.assigned_seq
LEFT JOIN events AS exited ON exited.seq = fold.exited_seq
LEFT JOIN events AS ended ON ended.seq = fold.ended_seq
ORDER BY fold.assigned_seq;

CREATE VIEW runs AS
SELECT fold.run,
       json_extract(started.payload, '$.goal') AS goal,
       coalesce(json_extract(finished.payload, '$.outcome'), 'running') AS outcome,
       started.wall_us AS started_us,
       iif(finished.type = 'RunFinished', finished.wall_us, NULL) AS ended_us,
       coalesce(counts.tasks, 0) AS tasks,
       coalesce(counts.landed, 0) AS landed,
       coalesce(counts.failed, 0) AS failed,  -- blocked and cancelled ones too, as in RunFinished
       fold.cost_micros                       -- the planner's too
FROM (
  SELECT run,
         max(CASE type WHEN 'RunStarted' THEN seq END) AS started_seq,
         -- A run that was resumed after its end has not ended.
         max(CASE WHEN type IN ('RunFinished', 'RunResumed') THEN seq END) AS finished_seq,
         sum(CASE type WHEN 'AgentExited' THEN json_extract(payload, '$.usage.cost_micros') END) AS cost_micros
  FROM events
  WHERE type IN ('RunStarted', 'RunFinished', 'RunResumed', 'AgentExited')
  GROUP BY run
) AS fold
JOIN events AS started ON started.seq = fold.started_seq
LEFT JOIN events AS finished ON finished.seq = fold.finished_seq
LEFT JOIN (
  SELECT run,
         sum(status <> 'split') AS tasks,  -- its parts stand for it
         sum(status = 'landed') AS landed,
         sum(status IN ('failed', 'blocked', 'cancelled')) AS failed
  FROM tasks
  GROUP BY run
) AS counts ON counts.run = fold.run
ORDER BY fold.started_seq;

CREATE VIEW routes AS
SELECT run,
       substr(subject, 1, instr(subject, '.') - 1) AS task,
       CAST(substr(subject, instr(subject, '.') + 1) AS INTEGER) AS attempt,
       json_extract(payload, '$.arm.agent') || '/' || json_extract(payload, '$.arm.tier') AS arm,
       json_extract(payload, '$.rule') AS rule,
       (SELECT value / 1e6 FROM json_each(payload, '$.probabilities_ppm')
         WHERE key = json_extract(payload, '$.arm.agent') || '/' || json_extract(payload, '$.arm.tier')) AS propensity,
       json_extract(payload, '$.features') AS features,
       json_extract(payload, '$.scores') AS scores
FROM events
WHERE type = 'RouteChosen'
ORDER BY seq;

-- The target's own checks have no task.
CREATE VIEW checks AS
SELECT run,
       iif(subject = 'run', NULL, substr(subject, 1, instr(subject, '.') - 1)) AS task,
       iif(subject = 'run', NULL, CAST(substr(subject, instr(subject, '.') + 1) AS INTEGER)) AS attempt,
       json_extract(payload, '$.name') AS name,
       json_extract(payload, '$.tree') AS tree,
       json_extract(payload, '$.verdict') AS verdict,
       json_extract(payload, '$.duration_us') AS duration_us,
       type = 'CheckReused' AS cached
FROM events
WHERE type IN ('CheckFinished', 'CheckReused')
ORDER BY seq;

-- Checks that passed and failed on one tree in one environment, and how often.
CREATE VIEW flaky_checks AS
SELECT run, json_extract(payload, '$.name') AS name, count(*) AS times
FROM events
WHERE type = 'CheckFlaked'
GROUP BY 1, 2;

CREATE VIEW merges AS
SELECT run,
       substr(subject, 1, instr(subject, '.') - 1) AS task,
       CAST(substr(subject, instr(subject, '.') + 1) AS INTEGER) AS attempt,
       json_extract(payload, '$.commit') AS commit_id,
       json_extract(payload, '$.parent') AS parent_id,
       json_extract(payload, '$.tree') AS tree,
       wall_us AS landed_us
FROM events
WHERE type = 'MergeLanded'
ORDER BY seq;

-- One row for each attempt whose agent has exited, on the day when it did (UTC).
CREATE VIEW costs AS
WITH created AS MATERIALIZED (  -- or SQLite scans the events anew for each attempt
  SELECT run, subject AS task, json_extract(payload, '$.spec.role') AS role
  FROM events
  WHERE type = 'TaskCreated'
)
SELECT fold.run,
       date(exited.wall_us / 1000000, 'unixepoch') AS day,
       coalesce(created.role, 'planner') AS role,
       substr(fold.subject, 1, instr(fold.subject, '.') - 1) AS task,
       CAST(substr(fold.subject, instr(fold.subject, '.') + 1) AS INTEGER) AS attempt,
       json_extract(assigned.payload, '$.agent') AS agent,
       json_extract(assigned.payload, '$.model') AS model,
       json_extract(exited.payload, '$.usage.input_tokens') AS input_tokens,
       json_extract(exited.payload, '$.usage.output_tokens') AS output_tokens,
       json_extract(exited.payload, '$.usage.cost_micros') AS cost_micros
FROM (
  SELECT run,
         subject,
         max(CASE type WHEN 'TaskAssigned' THEN seq END) AS assigned_seq,
         max(CASE type WHEN 'AgentExited' THEN seq END) AS exited_seq
  FROM events
  WHERE type IN ('TaskAssigned', 'AgentExited')
  GROUP BY 1, 2
) AS fold
JOIN events AS exited ON exited.seq = fold.exited_seq
LEFT JOIN events AS assigned ON assigned.seq = fold.assigned_seq
LEFT JOIN created ON created.run = fold.run AND created.task = substr(fold.subject, 1, instr(fold.subject, '.') - 1)
ORDER BY fold.exited_seq;
