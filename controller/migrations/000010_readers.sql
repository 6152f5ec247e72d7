-- breaking: no
-- What readers find by the names they look for: agents, jobs, blackboard, transactions. Runs are a table of that name.

CREATE INDEX effects_blackboard ON effects (run_id) WHERE tool = 'blackboard.set';

-- The newest value of each key: the step that set it.
CREATE VIEW blackboard AS
  SELECT DISTINCT ON (e.run_id, s.inputs ->> 'key')
         e.run_id, s.inputs ->> 'key' AS key, s.inputs -> 'value' AS value, (s.outputs ->> 'version')::integer AS version,
         s.step_id, s.path, s.completed_at AS updated_at
  FROM effects e JOIN steps s USING (run_id, path, attempt)
  WHERE e.tool = 'blackboard.set' AND e.state = 'succeeded' AND s.outputs ? 'version'
  ORDER BY e.run_id, s.inputs ->> 'key', (s.outputs ->> 'version')::integer DESC;

CREATE VIEW agents AS
  SELECT o.uid AS agent_id, o.namespace, o.name, o.labels, o.spec, o.status, o.created_at, o.deletion_timestamp,
         (SELECT count(*) FROM instances i WHERE i.agent_uid = o.uid AND i.ended_at IS NULL) AS live_instances
  FROM objects o WHERE o.kind = 'Agent';

-- Whatever is queued or leased: tasks of agents, and runs that are moved or that whoever is free may claim from `run_at` on.
-- A run that waits for a decision, an answer or an event is no work for anybody, and not among them.
CREATE VIEW jobs AS
  SELECT t.task_id AS job_id, 'task' AS kind, t.namespace, t.agent AS target, t.run_id, t.path, t.status AS state,
         t.instance_id AS holder, t.lease_until, t.attempt AS attempts, t.created_at, t.created_at AS run_at
  FROM tasks t WHERE t.status IN ('queued', 'leased')
  UNION ALL
  SELECT r.run_id, 'run', r.namespace, nullif(r.blueprint, ''), r.run_id, NULL,
         CASE WHEN r.owner IS NULL THEN 'queued' ELSE 'leased' END, r.owner, w.lease_until, 1, r.created_at, coalesce(r.wake_at, r.created_at)
  FROM runs r LEFT JOIN writers w ON w.id = r.owner
  WHERE r.status IN ('created', 'running')
    AND (r.owner IS NOT NULL OR (r.wake_at IS NOT NULL AND (r.condition IS NULL OR r.condition ->> 'reason' = 'QuotaExceeded')));

-- What was consumed and is to be paid for.
CREATE VIEW transactions AS
  SELECT footprint_id AS transaction_id, occurred_at, env_id, run_id, step_id, source_kind, source_ref, metric, quantity, unit, dims_json
  FROM footprint_rows WHERE class = 'billable';

GRANT SELECT ON blackboard, agents, jobs, transactions TO stateward_app;
