-- breaking: no
-- Runs that go on from another run, and runs that undo one.

ALTER TABLE runs
  ADD COLUMN parent_run uuid REFERENCES runs ON DELETE SET NULL,
  ADD COLUMN parent_kind text CHECK (parent_kind IN ('retry', 'rollback'));

-- At most one of each kind is under way for a run.
CREATE UNIQUE INDEX runs_child_once ON runs (parent_run, parent_kind) WHERE status IN ('created', 'running');
CREATE INDEX runs_parent ON runs (parent_run, created_at) WHERE parent_run IS NOT NULL;
-- Runs that failed and are to be undone: few, and for a moment.
CREATE INDEX runs_rollback_pending ON runs (completed_at)
  WHERE status = 'failed' AND condition ->> 'reason' = 'RollbackPending';

CREATE OR REPLACE VIEW v_runs AS
  SELECT run_id, namespace, name, blueprint, revision, plan_digest, status, priority, trigger, inputs, outputs, error, condition,
         actor, correlation_id, created_at, started_at, completed_at, deadline, parent_run, parent_kind
  FROM runs;
