-- breaking: no
-- Impressions: what somebody, or something, says about a run or a step. And footprints by the day, which stay.

CREATE TABLE impressions (
  impression_id uuid NOT NULL,
  recorded_at timestamptz NOT NULL,
  env_id text NOT NULL,
  run_id uuid,
  step_id uuid,
  -- `severity`, `billable`, `customer_visible`, `anomaly` …
  label text NOT NULL,
  value jsonb NOT NULL,
  -- What it was derived from: footprints, outcomes, a reason.
  basis_json jsonb NOT NULL DEFAULT '{}',
  recorded_by text NOT NULL,
  correlation_id text NOT NULL,
  PRIMARY KEY (recorded_at, impression_id)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX impressions_run ON impressions (run_id, recorded_at) WHERE run_id IS NOT NULL;
CREATE INDEX impressions_label ON impressions (label, recorded_at);

-- As of footprints: the partition of a month, in UTC, when it is not there.
CREATE FUNCTION impressions_ensure_partition(at timestamptz) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  month timestamptz := date_trunc('month', at, 'UTC');
  part_name text := 'impressions_p' || to_char(month AT TIME ZONE 'UTC', 'YYYYMM');
BEGIN
  IF to_regclass(part_name) IS NOT NULL THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(hashtext('stateward.impressions_ensure_partition'));
  IF to_regclass(part_name) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE %I (LIKE impressions INCLUDING ALL)', part_name);
  EXECUTE format('GRANT SELECT, INSERT ON %I TO stateward_app', part_name);
  EXECUTE format('ALTER TABLE impressions ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part_name, month,
    (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
END $$;

CREATE FUNCTION impressions_drop_partitions(older_than timestamptz) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '2s' AS $$
DECLARE
  part_name text;
  dropped integer := 0;
BEGIN
  FOR part_name IN
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'impressions'::regclass
      AND (to_timestamp(right(relname, 6), 'YYYYMM')::timestamp + interval '1 month') AT TIME ZONE 'UTC' <= older_than
  LOOP
    EXECUTE format('DROP TABLE %I', part_name);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;

-- Footprints of a whole day, in UTC, summed up once the day is over.
CREATE TABLE footprint_rollups (
  day date NOT NULL,
  env_id text NOT NULL,
  source_kind text NOT NULL,
  metric text NOT NULL,
  unit text NOT NULL,
  class text NOT NULL,
  quantity numeric NOT NULL,
  footprints bigint NOT NULL,
  PRIMARY KEY (day, env_id, source_kind, metric, unit, class)
);
-- The last day that was summed up, also when nothing happened on it.
CREATE TABLE footprint_rollup_state (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  day date
);
INSERT INTO footprint_rollup_state (day) VALUES (NULL);

GRANT SELECT, INSERT ON impressions, footprint_rollups TO stateward_app;
GRANT SELECT, UPDATE ON footprint_rollup_state TO stateward_app;
REVOKE EXECUTE ON FUNCTION impressions_ensure_partition(timestamptz), impressions_drop_partitions(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION impressions_ensure_partition(timestamptz), impressions_drop_partitions(timestamptz) TO stateward_app;
