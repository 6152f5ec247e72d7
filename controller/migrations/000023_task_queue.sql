-- breaking: no
-- The queue of an agent in its whole order: whoever takes the first few of many reads no more than those. Without the id at
-- the end all of the queue was read and sorted for each.

DROP INDEX tasks_queue;
CREATE INDEX tasks_queue ON tasks (namespace, agent, created_at, task_id) WHERE status = 'queued';
