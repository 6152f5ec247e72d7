-- breaking: no
-- A call of a model's loop whose process went away, and that must not be repeated unasked, stays open until a person says what became of it.

-- Since when nobody knows whether it took effect.
ALTER TABLE tool_calls ADD COLUMN quarantined_at timestamptz;
CREATE INDEX tool_calls_undecided ON tool_calls (task_id) WHERE state = 'unknown' AND ended_at IS NULL;
