-- breaking: no
-- The task that an agent does for an item of the work graph, as long as it does it.

ALTER TABLE work_items ADD COLUMN task_id uuid;
CREATE INDEX work_items_given ON work_items (task_id) WHERE task_id IS NOT NULL;
