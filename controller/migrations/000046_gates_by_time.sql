-- breaking: no
-- Gates of all runs, the newest first, in pages.
CREATE INDEX gates_created ON gates (created_at, step_id);
