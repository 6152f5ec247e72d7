-- breaking: no
-- How many rows a task is expected to read or write. From 100 on it is bulk work, which is done next to the database.

ALTER TABLE tasks ADD COLUMN expected_rows bigint CHECK (expected_rows >= 0);
