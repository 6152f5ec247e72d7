-- breaking: no
-- Dead letters: what an event asked for and nobody could make, and work that failed for good. They follow from the log and
-- from runs; only what somebody did about them is a row of its own.

CREATE TABLE dead_letter_requeues (
  dead_letter_id uuid PRIMARY KEY,
  run_id uuid NOT NULL,
  actor text NOT NULL,
  requeued_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON dead_letter_requeues TO stateward_app;

CREATE INDEX runs_failed ON runs (completed_at DESC) WHERE status = 'failed';
CREATE INDEX steps_again ON steps (run_id, path) WHERE attempt > 1;

CREATE VIEW dead_letters AS
  SELECT l.dead_letter_id, l.kind, l.namespace, l.blueprint_uid, l.blueprint, l.trigger, l.event_id, l.run_id, l.run, l.path, l.attempts, l.error,
         l.correlation_id, l.occurred_at, q.run_id AS requeued_run_id, q.actor AS requeued_by, q.requeued_at
  FROM (
    -- An event matched a trigger, and no run could be made of it. A schedule comes again by itself.
    SELECT e.event_id AS dead_letter_id, 'trigger' AS kind, coalesce(o.namespace, e.env_id) AS namespace, e.resource_id::uuid AS blueprint_uid,
           e.data ->> 'blueprint' AS blueprint, e.data ->> 'trigger' AS trigger, (e.data ->> 'event_id')::uuid AS event_id,
           NULL::uuid AS run_id, NULL::text AS run, NULL::text AS path, 1 AS attempts,
           jsonb_build_object('code', 'refused', 'message', e.data -> 'problems' -> 0 ->> 'message', 'problems', e.data -> 'problems') AS error,
           e.correlation_id, e.occurred_at
    FROM events e LEFT JOIN objects o ON o.uid = e.resource_id::uuid
    WHERE e.event_name = 'stateward.run.refused' AND e.data ->> 'trigger' NOT LIKE 'schedule:%'
    UNION ALL
    -- A run failed because a call or a task failed in its last attempt.
    SELECT r.run_id, 'run', r.namespace, r.blueprint_uid, nullif(r.blueprint, ''), r.trigger, r.trigger_event, r.run_id, r.name, s.path, s.attempt, s.error,
           r.correlation_id, r.completed_at
    FROM runs r
    JOIN LATERAL (
      SELECT path, attempt, error FROM steps
      WHERE steps.run_id = r.run_id AND status = 'failed' AND kind IN ('action_task', 'agent_task') AND error ->> 'category' <> 'cancelled'
      ORDER BY completed_at LIMIT 1
    ) s ON true
    WHERE r.status = 'failed' AND r.parent_kind IS DISTINCT FROM 'rollback'
      -- Somebody had it go on: what becomes of that is another run's story.
      AND NOT EXISTS (SELECT FROM runs c WHERE c.parent_run = r.run_id AND c.parent_kind = 'retry')
  ) l LEFT JOIN dead_letter_requeues q USING (dead_letter_id);
GRANT SELECT ON dead_letters TO stateward_app;
