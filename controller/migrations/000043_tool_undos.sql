-- breaking: no
-- What has to be known to take a call of a reversible tool back. A row is there before the call changes anything.
CREATE TABLE tool_undos (
  operation_id text PRIMARY KEY,
  namespace text NOT NULL,
  actor text,
  tool text NOT NULL,
  workspace text NOT NULL,
  record jsonb NOT NULL,
  correlation_id text NOT NULL,
  created_at timestamptz NOT NULL,
  undone_at timestamptz,
  undone_by text
);
CREATE INDEX tool_undos_age ON tool_undos (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON tool_undos TO stateward_app;
