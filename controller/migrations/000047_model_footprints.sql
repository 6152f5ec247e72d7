-- breaking: no
-- Footprints of calls of models, which follow from their rows: tokens in and out as far as they are known, and the request itself. Kept as sums by agent, provider and
-- model, too, when the rows are gone.
CREATE OR REPLACE VIEW footprints AS
  SELECT occurred_at, env_id, run_id, step_id, source_kind, source_ref, metric, quantity, unit, class, dims_json FROM footprint_rows
  UNION ALL
  SELECT created_at, namespace, run_id, NULL, 'run', run_id::text, 'run.count', 1, 'count', 'informational', '{}' FROM runs
  UNION ALL
  SELECT s.completed_at, r.namespace, s.run_id, s.step_id, 'step', s.path, 'step.count', 1, 'count', 'informational',
         jsonb_build_object('kind', s.kind, 'status', s.status, 'attempt', s.attempt)
  FROM steps s JOIN runs r USING (run_id) WHERE s.completed_at IS NOT NULL AND s.started_at IS NOT NULL
  UNION ALL
  SELECT s.completed_at, r.namespace, s.run_id, s.step_id, 'step', s.path, 'wall_ms',
         round(extract(epoch FROM s.completed_at - s.started_at) * 1000), 'ms', 'informational',
         jsonb_build_object('kind', s.kind, 'status', s.status, 'attempt', s.attempt)
  FROM steps s JOIN runs r USING (run_id) WHERE s.completed_at IS NOT NULL AND s.started_at IS NOT NULL
  UNION ALL
  SELECT c.ended_at, c.namespace, c.run_id,
         (SELECT s.step_id FROM steps s WHERE s.run_id = c.run_id AND s.path = c.step AND s.started_at <= c.started_at
          ORDER BY s.attempt DESC LIMIT 1),
         'model', c.call_id::text, m.metric, m.quantity, m.unit,
         -- What is paid for by the token, what this machine does, and what is given away.
         CASE WHEN c.cost > 0 THEN 'billable' WHEN c.class = 'local' THEN 'internal' ELSE 'free_tier' END,
         jsonb_strip_nulls(jsonb_build_object(
           'gen_ai.agent.name', c.agent, 'gen_ai.provider.name', c.provider_type, 'gen_ai.request.model', c.model_asked,
           'gen_ai.response.model', c.model_answered, 'provider', c.provider, 'class', c.class, 'state', c.state))
  FROM model_calls c
  CROSS JOIN LATERAL (VALUES
    ('tokens_in', c.input_tokens::numeric, 'token'), ('tokens_out', c.output_tokens::numeric, 'token'), ('request_count', 1, 'count')
  ) AS m (metric, quantity, unit)
  WHERE c.ended_at IS NOT NULL AND m.quantity IS NOT NULL;

-- Empty = it is no call of a model, or nobody's.
ALTER TABLE footprint_rollups
  ADD COLUMN agent text NOT NULL DEFAULT '',
  ADD COLUMN provider text NOT NULL DEFAULT '',
  ADD COLUMN model text NOT NULL DEFAULT '';
ALTER TABLE footprint_rollups DROP CONSTRAINT footprint_rollups_pkey;
ALTER TABLE footprint_rollups ADD PRIMARY KEY (day, env_id, source_kind, metric, unit, class, agent, provider, model);
