-- breaking: no
-- What is kept, and for how long: events by partition, artifacts, footprints.

-- ── Retention ──
-- Drops the partitions of events, the oldest first, whose newest event is older than `older_than`, which every durable
-- consumer has read, and which do not hold the head. The owner's function, for a process that owns nothing. What
-- log_batches says stays, so the chain can be verified. A reader that holds a partition for long is not waited for: it
-- fails with lock_not_available, and the next call tries again.
CREATE FUNCTION events_drop_partitions(older_than timestamptz) RETURNS TABLE (partition text, first_seq bigint, last_seq bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '2s' AS $$
DECLARE
  size CONSTANT bigint := 1000000;
  head bigint := (SELECT log_head.seq FROM log_head);
  consumed bigint := (SELECT min(consumers.seq) FROM consumers);
  part bigint;
  newest timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('stateward.events_ensure_partition'));
  FOR partition, part IN
    SELECT relname, substring(relname FROM '^events_p([0-9]+)$')::bigint
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'events'::regclass ORDER BY 2
  LOOP
    first_seq := greatest(part * size, 1);
    last_seq := (part + 1) * size - 1;
    EXIT WHEN last_seq >= head OR last_seq > consumed;
    EXECUTE format('SELECT occurred_at FROM %I ORDER BY seq DESC LIMIT 1', partition) INTO newest;
    EXIT WHEN newest >= older_than;
    EXECUTE format('DROP TABLE %I', partition);
    RETURN NEXT;
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION events_drop_partitions(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events_drop_partitions(timestamptz) TO stateward_app;
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- ── Artifacts ──
-- Bytes that are kept, each once, however many artifacts have them.
CREATE TABLE artifact_contents (
  sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  byte_length bigint NOT NULL
);

-- Their sum: a limit that is checked by adding to it cannot be passed by two who come together.
CREATE TABLE artifact_usage (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  bytes bigint NOT NULL
);
INSERT INTO artifact_usage (bytes) VALUES (0);

CREATE TABLE artifacts (
  artifact_id uuid PRIMARY KEY,
  name text NOT NULL,
  kind text NOT NULL,
  content_type text NOT NULL,
  -- Until the bytes have come: what was announced of them.
  byte_length bigint,
  -- Null until the bytes have come.
  sha256 text REFERENCES artifact_contents,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  -- Records of their own: they outlive the run's rows.
  run_id uuid,
  step_id uuid,
  metadata jsonb NOT NULL,
  -- The log of a run as it stood at its end: one a run.
  is_run_log boolean NOT NULL DEFAULT false
);
CREATE INDEX artifacts_created ON artifacts (created_at DESC, artifact_id DESC);
CREATE INDEX artifacts_run ON artifacts (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX artifacts_sha256 ON artifacts (sha256) WHERE sha256 IS NOT NULL;
CREATE UNIQUE INDEX artifacts_run_log ON artifacts (run_id) WHERE is_run_log;

GRANT SELECT, INSERT, UPDATE, DELETE ON artifacts, artifact_contents TO stateward_app;
GRANT SELECT, UPDATE ON artifact_usage TO stateward_app;

-- ── Footprints ──
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

