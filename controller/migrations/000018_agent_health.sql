-- breaking: no
-- What instances of agents report of themselves, and how their reports made them look last.

ALTER TABLE instances
  ADD COLUMN health text NOT NULL DEFAULT 'starting' CHECK (health IN ('starting', 'healthy', 'late', 'silent')),
  -- Since its start, as it says.
  ADD COLUMN tokens bigint NOT NULL DEFAULT 0,
  ADD COLUMN cost_nano_usd bigint NOT NULL DEFAULT 0,
  ADD COLUMN cpu_percent real,
  ADD COLUMN memory_bytes bigint;

UPDATE instances SET health = 'healthy' WHERE registered_at IS NOT NULL AND ended_at IS NULL;
