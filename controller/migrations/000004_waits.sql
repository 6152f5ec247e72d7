-- breaking: no
-- Steps that wait for an event: durable subscriptions, read by whoever matches the events of the log.

-- The row goes when its event came, or with the end of its step. Events up to `from_seq` were there before the step.
CREATE TABLE waits (
  step_id uuid PRIMARY KEY,
  run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
  path text NOT NULL,
  -- Event name or glob.
  event text NOT NULL,
  filter text,
  -- What the filter reads besides the event.
  bindings jsonb NOT NULL,
  from_seq bigint NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX waits_event ON waits (event);
CREATE INDEX waits_glob ON waits (event) WHERE event LIKE '%*%';
CREATE INDEX waits_run ON waits (run_id);
GRANT SELECT, INSERT, DELETE ON waits TO stateward_app;
