-- breaking: no
-- What runs and people keep as files: what it is stands here, the bytes stand in the data folder under their sha256.

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
