-- breaking: no
-- Calls of tools outside of steps. A row is there before its tool is called, and a recorded end is never produced again: whoever
-- asks under the same id gets it. `owner` is the writer that makes the call.
CREATE TABLE tool_calls (
  id uuid PRIMARY KEY,
  operation_id text NOT NULL,
  namespace text NOT NULL,
  tool text NOT NULL,
  actor text NOT NULL,
  -- The agent whose capabilities limit it.
  agent text,
  run_id uuid,
  step text,
  attempt integer,
  task_id uuid,
  turn integer,
  call_no integer,
  idempotent boolean NOT NULL,
  risk text NOT NULL CHECK (risk IN ('low', 'medium', 'high')),
  side_effects text NOT NULL CHECK (side_effects IN ('none', 'reversible', 'irreversible')),
  input jsonb NOT NULL,
  request_digest text NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'succeeded', 'failed', 'refused', 'unknown')),
  owner uuid,
  asked_by text,
  approvals jsonb NOT NULL DEFAULT '[]',
  approved_by text[] NOT NULL DEFAULT '{}',
  output jsonb,
  error jsonb,
  log text[] NOT NULL DEFAULT '{}',
  deadline timestamptz,
  correlation_id text NOT NULL,
  created_at timestamptz NOT NULL,
  begun_at timestamptz,
  ended_at timestamptz
);
CREATE INDEX tool_calls_newest ON tool_calls (created_at DESC, id DESC);
CREATE INDEX tool_calls_run ON tool_calls (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX tool_calls_open ON tool_calls (owner) WHERE state IN ('waiting', 'running');
GRANT SELECT, INSERT, UPDATE, DELETE ON tool_calls TO stateward_app;
