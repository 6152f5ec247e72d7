-- breaking: no
-- Tasks that people and agents hand out: who asked for one, the task it is a part of, how often it may be tried, what it used.

ALTER TABLE tasks
  ADD COLUMN created_by text NOT NULL DEFAULT 'system:controller',
  ADD COLUMN parent_task uuid REFERENCES tasks ON DELETE CASCADE,
  -- The task that did not come off, and that this one does again.
  ADD COLUMN retry_of uuid REFERENCES tasks ON DELETE SET NULL,
  -- Of a task that others are parts of; what was cancelled or failed has ended, too.
  ADD COLUMN parts_total integer NOT NULL DEFAULT 0,
  ADD COLUMN parts_done integer NOT NULL DEFAULT 0,
  ADD COLUMN parts_failed integer NOT NULL DEFAULT 0,
  ADD COLUMN max_attempts integer NOT NULL DEFAULT 3,
  ADD COLUMN retry_delay_ms integer NOT NULL DEFAULT 0,
  -- Nobody gets it before that.
  ADD COLUMN not_before timestamptz,
  -- As its agent reported them with the result.
  ADD COLUMN tokens bigint NOT NULL DEFAULT 0,
  ADD COLUMN cost_nano_usd bigint NOT NULL DEFAULT 0;

CREATE INDEX tasks_parts ON tasks (parent_task) WHERE parent_task IS NOT NULL;
CREATE UNIQUE INDEX tasks_retry ON tasks (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX tasks_newest ON tasks (created_at DESC, task_id DESC);
CREATE INDEX tasks_of_agent ON tasks (namespace, agent, created_at DESC, task_id DESC);
