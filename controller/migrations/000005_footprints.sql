-- breaking: no
-- What was consumed. Counts and times follow from runs and steps; stored is only what does not.

CREATE TABLE footprint_rows (
  footprint_id uuid NOT NULL,
  occurred_at timestamptz NOT NULL,
  env_id text NOT NULL,
  run_id uuid,
  step_id uuid,
  -- What consumed it: `artifact` and its id, a tool, a model.
  source_kind text NOT NULL,
  source_ref text NOT NULL,
  metric text NOT NULL,
  quantity numeric NOT NULL CHECK (quantity >= 0),
  unit text NOT NULL,
  class text NOT NULL,
  dims_json jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (occurred_at, footprint_id)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX footprint_rows_run ON footprint_rows (run_id, occurred_at) WHERE run_id IS NOT NULL;
CREATE INDEX footprint_rows_metric ON footprint_rows (metric, occurred_at);

-- The partition of a month, in UTC, when it is not there. The owner's function, for a process that owns nothing.
CREATE FUNCTION footprints_ensure_partition(at timestamptz) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  month timestamptz := date_trunc('month', at, 'UTC');
  part_name text := 'footprint_rows_p' || to_char(month AT TIME ZONE 'UTC', 'YYYYMM');
BEGIN
  IF to_regclass(part_name) IS NOT NULL THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(hashtext('stateward.footprints_ensure_partition'));
  IF to_regclass(part_name) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE %I (LIKE footprint_rows INCLUDING ALL)', part_name);
  EXECUTE format('GRANT SELECT, INSERT ON %I TO stateward_app', part_name);
  EXECUTE format('ALTER TABLE footprint_rows ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part_name, month,
    (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
END $$;

-- Drops the months that ended before `older_than`; returns how many. Fails with lock_not_available rather than wait for a reader.
CREATE FUNCTION footprints_drop_partitions(older_than timestamptz) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '2s' AS $$
DECLARE
  part_name text;
  dropped integer := 0;
BEGIN
  FOR part_name IN
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'footprint_rows'::regclass
      AND (to_timestamp(right(relname, 6), 'YYYYMM')::timestamp + interval '1 month') AT TIME ZONE 'UTC' <= older_than
  LOOP
    EXECUTE format('DROP TABLE %I', part_name);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;

-- Everything: what is stored, and what follows from runs and steps.
CREATE VIEW footprints AS
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
  FROM steps s JOIN runs r USING (run_id) WHERE s.completed_at IS NOT NULL AND s.started_at IS NOT NULL;

GRANT SELECT, INSERT ON footprint_rows TO stateward_app;
GRANT SELECT ON footprints TO stateward_app;
REVOKE EXECUTE ON FUNCTION footprints_ensure_partition(timestamptz), footprints_drop_partitions(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION footprints_ensure_partition(timestamptz), footprints_drop_partitions(timestamptz) TO stateward_app;
