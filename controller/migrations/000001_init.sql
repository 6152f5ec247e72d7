-- breaking: no
-- The whole first schema: who writes (writers, leases), the log, desired objects, runs, agents.
-- Runs as the owner. Processes connect with role stateward_app, which owns nothing.

-- Where the owner may not make roles, somebody who may has made it, and granted it to the owner.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stateward_app') THEN
    CREATE ROLE stateward_app NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
  SET LOCAL ROLE stateward_app;
  RESET ROLE;
EXCEPTION WHEN insufficient_privilege THEN
  EXECUTE format('GRANT stateward_app TO %I', current_user);
END $$;

-- ── Who may write ────────────────────────────────────────────────────────────────────────────────────────────────────
-- One row per process start. Every transaction that writes locks its own row FOR SHARE: no row, nothing is written.
CREATE TABLE writers (
  id uuid PRIMARY KEY,
  host text NOT NULL,
  boot_id text NOT NULL,
  pid_namespace text NOT NULL,
  pid integer NOT NULL,
  pid_start text NOT NULL,
  roles text[] NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  lease_until timestamptz NOT NULL
);

-- Leadership: one row a role that only one process may hold.
CREATE TABLE leases (
  name text PRIMARY KEY,
  writer uuid REFERENCES writers ON DELETE SET NULL,
  acquired_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- ── The log ──────────────────────────────────────────────────────────────────────────────────────────────────────────
-- Numbers are taken from this one row, held to commit: no gaps, and they appear in order.
CREATE TABLE log_head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  seq bigint NOT NULL,
  hash bytea NOT NULL
);
INSERT INTO log_head (seq, hash) VALUES (0, sha256('stateward'::bytea));

-- The hash chain, per batch: hash = sha256(previous hash || digest). Never pruned.
CREATE TABLE log_batches (
  writer uuid NOT NULL,
  n bigint NOT NULL,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL,
  digest bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (writer, n)
);
CREATE UNIQUE INDEX log_batches_last_seq ON log_batches (last_seq);

CREATE TABLE events (
  seq bigint NOT NULL,
  event_id uuid NOT NULL,
  event_name text NOT NULL,
  occurred_at timestamptz NOT NULL,
  env_id text NOT NULL,
  actor text NOT NULL,
  correlation_id text NOT NULL,
  run_id uuid,
  step_id uuid,
  resource_type text,
  resource_id text,
  data jsonb NOT NULL,
  -- sha256 of the row as the API shows it, without seq; a batch's digest is made of these, so verifying names the row.
  digest bytea NOT NULL,
  PRIMARY KEY (seq)
) PARTITION BY RANGE (seq);
CREATE INDEX events_run ON events (run_id, seq) WHERE run_id IS NOT NULL;
CREATE INDEX events_name ON events (event_name, seq);
CREATE INDEX events_id ON events (event_id);
CREATE INDEX events_resource ON events (resource_type, resource_id, seq) WHERE resource_id IS NOT NULL;

CREATE FUNCTION events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
-- A statement's trigger fires for the table it names only: the parent has one, and each partition its own.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events EXECUTE FUNCTION events_are_append_only();

-- Partitions of 1,000,000 numbers from the head's up to `upto`; returns the end of the last one. The owner's function, also
-- for a process that owns nothing. ATTACH does not block writers, as CREATE TABLE … PARTITION OF would.
CREATE FUNCTION events_ensure_partition(upto bigint) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  size CONSTANT bigint := 1000000;
  part bigint;
  part_name text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('stateward.events_ensure_partition'));
  FOR part IN SELECT generate_series(seq / size, greatest(upto, seq) / size) FROM log_head LOOP
    part_name := 'events_p' || lpad(part::text, 6, '0');
    CONTINUE WHEN to_regclass(part_name) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING ALL)', part_name);
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I EXECUTE FUNCTION events_are_append_only()', part_name);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO stateward_app', part_name);
    EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', part_name, part * size, (part + 1) * size);
  END LOOP;
  RETURN (greatest(upto, (SELECT seq FROM log_head)) / size + 1) * size;
END $$;
SELECT events_ensure_partition(0);

CREATE TABLE consumers (
  name text PRIMARY KEY,
  seq bigint NOT NULL
);

-- ── Desired state and its status ─────────────────────────────────────────────────────────────────────────────────────
-- Also the inventory: a row stays, with deletion_timestamp, until what it stands for is confirmed gone.
CREATE TABLE objects (
  uid uuid PRIMARY KEY,
  kind text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  source text NOT NULL,
  generation bigint NOT NULL,
  resource_version bigint NOT NULL,
  spec_resource_version bigint NOT NULL,
  labels jsonb NOT NULL,
  annotations jsonb NOT NULL,
  spec jsonb NOT NULL,
  spec_digest text NOT NULL,
  effective_digest text NOT NULL,
  origin_file text NOT NULL,
  origin_document integer NOT NULL,
  origin_oid text NOT NULL,
  last_applied_revision text NOT NULL,
  status jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL,
  deletion_timestamp timestamptz,
  UNIQUE (kind, namespace, name)
);
CREATE INDEX objects_origin ON objects (source, origin_file);

-- Where each source stands; `tree` lets a restart read only what changed since.
CREATE TABLE source_heads (
  source text PRIMARY KEY,
  attempted_revision text NOT NULL,
  applied_revision text,
  applied_tree text,
  schema_version text NOT NULL,
  applied_at timestamptz
);

-- Files that are not simply applied: broken, blocked or foreign. A healthy file is known by the objects that name it.
CREATE TABLE source_files (
  source text NOT NULL,
  path text NOT NULL,
  oid text NOT NULL,
  ignored integer NOT NULL,
  foreign_only boolean NOT NULL,
  PRIMARY KEY (source, path)
);

-- One row an accepted (or observed) revision; never pruned with events.
CREATE TABLE syncs (
  id uuid PRIMARY KEY,
  source text NOT NULL,
  seq bigint NOT NULL,
  from_revision text,
  to_revision text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('applied', 'partial', 'refused', 'observed')),
  counts jsonb NOT NULL,
  changes jsonb NOT NULL,
  issues jsonb NOT NULL,
  ignored integer NOT NULL,
  digest text NOT NULL,
  actor text NOT NULL,
  occurred_at timestamptz NOT NULL,
  duration_ms integer NOT NULL
);
CREATE INDEX syncs_source ON syncs (source, seq DESC);

CREATE TABLE overrides (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  path text NOT NULL,
  value jsonb NOT NULL,
  base jsonb,
  actor text NOT NULL,
  reason text,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  UNIQUE (kind, namespace, name, path)
);

-- Deletions over the blast-radius limit that somebody let through, by the digest of exactly that set.
CREATE TABLE deletion_approvals (
  revision text NOT NULL,
  digest text NOT NULL,
  actor text NOT NULL,
  approved_at timestamptz NOT NULL,
  PRIMARY KEY (revision, digest)
);

-- ── Runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE compiled_plans (
  digest text PRIMARY KEY,
  plan jsonb NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE runs (
  run_id uuid PRIMARY KEY,
  namespace text NOT NULL,
  name text NOT NULL,
  blueprint_uid uuid NOT NULL,
  blueprint text NOT NULL,
  revision text NOT NULL,
  plan_digest text NOT NULL REFERENCES compiled_plans,
  status text NOT NULL CHECK (status IN ('created', 'running', 'completed', 'failed', 'cancelled')),
  owner uuid REFERENCES writers ON DELETE SET NULL,
  -- When a run without an owner is to be claimed; null = not before something comes to its inbox.
  wake_at timestamptz,
  -- Counts what came to the inbox: parking compares it, so a message that comes meanwhile is never slept over.
  signals integer NOT NULL DEFAULT 0,
  priority integer NOT NULL DEFAULT 0,
  trigger text NOT NULL,
  trigger_event uuid,
  dedupe_key text,
  event jsonb,
  inputs jsonb NOT NULL,
  outputs jsonb,
  error jsonb,
  condition jsonb,
  actor text NOT NULL,
  correlation_id text NOT NULL,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  completed_at timestamptz,
  deadline timestamptz,
  UNIQUE (namespace, name)
);
CREATE UNIQUE INDEX runs_trigger_once ON runs (blueprint_uid, trigger, trigger_event) WHERE trigger_event IS NOT NULL;
CREATE UNIQUE INDEX runs_dedupe ON runs (blueprint_uid, dedupe_key) WHERE dedupe_key IS NOT NULL AND status IN ('created', 'running');
CREATE INDEX runs_claim ON runs (priority DESC, wake_at) WHERE owner IS NULL AND status IN ('created', 'running');
CREATE INDEX runs_owner ON runs (owner) WHERE owner IS NOT NULL;
CREATE INDEX runs_created ON runs (created_at DESC, run_id DESC);
CREATE INDEX runs_active ON runs (blueprint_uid) WHERE status IN ('created', 'running');

CREATE TABLE steps (
  run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
  path text NOT NULL,
  attempt integer NOT NULL,
  step_id uuid NOT NULL,
  kind text NOT NULL,
  status text NOT NULL CHECK (status IN ('created', 'running', 'completed', 'failed', 'skipped')),
  inputs jsonb,
  outputs jsonb,
  error jsonb,
  condition jsonb,
  started_at timestamptz,
  completed_at timestamptz,
  next_attempt_at timestamptz,
  PRIMARY KEY (run_id, path, attempt)
);
CREATE INDEX steps_id ON steps (step_id);

-- Whatever comes to a run from outside; the owner consumes it in its next batch.
CREATE TABLE run_inbox (
  id uuid PRIMARY KEY,
  run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('approve', 'reject', 'cancel', 'task_result', 'event', 'timer', 'resume')),
  path text,
  payload jsonb NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  consumed_at timestamptz
);
CREATE INDEX run_inbox_open ON run_inbox (run_id, created_at) WHERE consumed_at IS NULL;

CREATE TABLE gates (
  step_id uuid PRIMARY KEY,
  run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
  path text NOT NULL,
  mode text NOT NULL,
  approvers text[] NOT NULL,
  min_approvals integer NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'approved', 'rejected', 'expired', 'cancelled')),
  timeout_at timestamptz,
  created_at timestamptz NOT NULL,
  decided_at timestamptz
);
CREATE INDEX gates_waiting ON gates (created_at) WHERE state = 'waiting';
CREATE INDEX gates_run ON gates (run_id, path);

CREATE TABLE approvals (
  id uuid PRIMARY KEY,
  step_id uuid NOT NULL REFERENCES gates ON DELETE CASCADE,
  decision text NOT NULL CHECK (decision IN ('approve', 'reject')),
  actor text NOT NULL,
  reason text,
  input jsonb,
  decided_at timestamptz NOT NULL,
  UNIQUE (step_id, actor)
);

-- An action step writes its intent before the effect and the outcome after: recorded success is never repeated.
CREATE TABLE effects (
  operation_id text PRIMARY KEY,
  run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
  path text NOT NULL,
  attempt integer NOT NULL,
  tool text NOT NULL,
  idempotent boolean NOT NULL,
  request_digest text NOT NULL,
  state text NOT NULL CHECK (state IN ('intent', 'succeeded', 'failed', 'quarantined')),
  created_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE INDEX effects_run ON effects (run_id);

-- ── Agents ───────────────────────────────────────────────────────────────────────────────────────────────────────────
-- A process (or its replacement) of an agent. The row is there before the process and ends after it.
CREATE TABLE instances (
  id uuid PRIMARY KEY,
  agent_uid uuid NOT NULL,
  namespace text NOT NULL,
  agent text NOT NULL,
  ordinal integer NOT NULL,
  host text NOT NULL,
  -- A daemon, or the command of one task.
  mode text NOT NULL CHECK (mode IN ('daemon', 'perTask')),
  state text NOT NULL CHECK (state IN ('starting', 'running', 'stopping', 'ended')),
  -- What it takes of the host's capacity while it lives.
  slots integer NOT NULL DEFAULT 1,
  effective_digest text NOT NULL,
  pid integer,
  pid_start text,
  boot_id text,
  token_sha256 text NOT NULL,
  restart_count integer NOT NULL DEFAULT 0,
  -- Starts in a row that did not last; the pause before the next one grows with it.
  crash_count integer NOT NULL DEFAULT 0,
  busy boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  registered_at timestamptz,
  last_heartbeat_at timestamptz,
  ended_at timestamptz,
  exit_code integer,
  end_reason text
);
CREATE UNIQUE INDEX instances_live ON instances (agent_uid, ordinal) WHERE ended_at IS NULL;
CREATE INDEX instances_token ON instances (token_sha256) WHERE ended_at IS NULL;
CREATE INDEX instances_host ON instances (host) WHERE ended_at IS NULL;
CREATE INDEX instances_agent ON instances (namespace, agent, created_at DESC);
CREATE INDEX instances_history ON instances (agent_uid, ordinal, created_at DESC) WHERE ended_at IS NOT NULL;

CREATE TABLE tasks (
  task_id uuid PRIMARY KEY,
  namespace text NOT NULL,
  agent text NOT NULL,
  run_id uuid REFERENCES runs ON DELETE CASCADE,
  step_id uuid,
  path text,
  attempt integer NOT NULL DEFAULT 1,
  status text NOT NULL CHECK (status IN ('queued', 'leased', 'completed', 'failed', 'cancelled')),
  prompt text NOT NULL,
  inputs jsonb NOT NULL,
  output_schema jsonb,
  output jsonb,
  error jsonb,
  instance_id uuid REFERENCES instances,
  lease_until timestamptz,
  deadline timestamptz,
  keep_workspace boolean NOT NULL DEFAULT false,
  correlation_id text NOT NULL,
  created_at timestamptz NOT NULL,
  completed_at timestamptz
);
CREATE INDEX tasks_queue ON tasks (namespace, agent, created_at) WHERE status = 'queued';
CREATE INDEX tasks_leased ON tasks (instance_id) WHERE status = 'leased';
CREATE INDEX tasks_run ON tasks (run_id);

CREATE TABLE idempotency_keys (
  principal text NOT NULL,
  route text NOT NULL,
  key text NOT NULL,
  request_digest text NOT NULL,
  status integer NOT NULL,
  response jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (principal, route, key)
);

-- ── Readers ──────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE VIEW sync_history AS
  SELECT id, source, seq, from_revision, to_revision, outcome, counts, changes, issues, ignored, digest, actor, occurred_at, duration_ms FROM syncs;

CREATE VIEW v_objects AS
  SELECT uid, kind, namespace, name, source, generation, resource_version, labels, annotations, spec, status,
         effective_digest, origin_file, last_applied_revision, created_at, deletion_timestamp
  FROM objects;

CREATE VIEW v_runs AS
  SELECT run_id, namespace, name, blueprint, revision, plan_digest, status, priority, trigger, inputs, outputs, error, condition,
         actor, correlation_id, created_at, started_at, completed_at, deadline
  FROM runs;

CREATE VIEW v_events AS
  SELECT seq, event_id, event_name, occurred_at, env_id, actor, correlation_id, run_id, step_id, resource_type, resource_id, data FROM events;

-- ── Rights ───────────────────────────────────────────────────────────────────────────────────────────────────────────
DO $$ BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO stateward_app', current_schema());
END $$;
GRANT SELECT ON schema_migrations TO stateward_app;
GRANT SELECT, INSERT ON events, log_batches, syncs, approvals, compiled_plans TO stateward_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON writers, leases, consumers, objects, source_heads, source_files, overrides,
  deletion_approvals, runs, steps, run_inbox, gates, effects, instances, tasks, idempotency_keys TO stateward_app;
GRANT SELECT, UPDATE ON log_head TO stateward_app;
GRANT SELECT ON sync_history, v_objects, v_runs, v_events TO stateward_app;
REVOKE EXECUTE ON FUNCTION events_ensure_partition(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events_ensure_partition(bigint) TO stateward_app;
