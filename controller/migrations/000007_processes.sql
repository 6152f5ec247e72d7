-- breaking: no
-- Several processes on one database: what each may take, and what is asked of the leader.

-- How many runs it moves at once, and the program it runs.
ALTER TABLE writers ADD COLUMN max_runs integer NOT NULL DEFAULT 0;
ALTER TABLE writers ADD COLUMN version text NOT NULL DEFAULT '';

-- What only the leader can do, asked by another process. The asker reads the answer and removes the row; when it dies, the
-- row goes with it. A leader that dies before it answers leaves it to its successor.
CREATE TABLE leader_requests (
  id uuid PRIMARY KEY,
  asker uuid NOT NULL REFERENCES writers ON DELETE CASCADE,
  verb text NOT NULL,
  arguments jsonb NOT NULL,
  actor text NOT NULL,
  correlation_id text NOT NULL,
  created_at timestamptz NOT NULL,
  answered_at timestamptz,
  answer jsonb,
  error jsonb
);
CREATE INDEX leader_requests_open ON leader_requests (created_at) WHERE answered_at IS NULL;
CREATE INDEX leader_requests_asker ON leader_requests (asker);
GRANT SELECT, INSERT, UPDATE, DELETE ON leader_requests TO stateward_app;
