-- breaking: no
-- Programs that tools started and that go on after the call. A row is there before its program, and stays until the program is
-- known to be gone. `owner` is the writer that looks after it, on the machine where it runs.
CREATE TABLE tool_processes (
  id uuid PRIMARY KEY,
  namespace text NOT NULL,
  name text NOT NULL,
  -- Of the call that started it: made again, it finds its program.
  operation_id text NOT NULL UNIQUE,
  run_id uuid,
  actor text NOT NULL,
  correlation_id text NOT NULL,
  command text[] NOT NULL,
  -- It ends with its run.
  with_run boolean NOT NULL,
  host text NOT NULL,
  boot_id text NOT NULL,
  pid_namespace text NOT NULL,
  -- Where it records who it is, what it prints and how it ended.
  folder text NOT NULL,
  owner uuid REFERENCES writers (id) ON DELETE SET NULL,
  pid integer,
  pid_start text,
  created_at timestamptz NOT NULL,
  -- Its time is over then.
  ends_at timestamptz NOT NULL,
  stop_reason text,
  stop_asked_at timestamptz,
  stop_grace_ms integer,
  exit_code integer,
  end_reason text,
  ended_at timestamptz
);
CREATE UNIQUE INDEX tool_processes_name ON tool_processes (namespace, name) WHERE ended_at IS NULL;
CREATE INDEX tool_processes_owner ON tool_processes (owner) WHERE ended_at IS NULL;
CREATE INDEX tool_processes_newest ON tool_processes (namespace, created_at DESC);
CREATE INDEX tool_processes_ended ON tool_processes (ended_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON tool_processes TO stateward_app;
