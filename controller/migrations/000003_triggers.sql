-- breaking: no
-- Triggers that need a memory of their own.

-- How far each schedule of a blueprint has come: times up to last_time have been decided about, whatever the decision was.
CREATE TABLE schedules (
  blueprint_uid uuid NOT NULL REFERENCES objects ON DELETE CASCADE,
  trigger text NOT NULL,
  last_time timestamptz NOT NULL,
  -- The last time that started a run.
  last_fired timestamptz,
  -- Seen suspended: when it goes on, what lies between is not caught up with.
  suspended boolean NOT NULL DEFAULT false,
  PRIMARY KEY (blueprint_uid, trigger)
);

-- A dedupe key may stay taken for a while after its run has ended.
CREATE INDEX runs_dedupe_ended ON runs (blueprint_uid, dedupe_key, completed_at) WHERE dedupe_key IS NOT NULL AND completed_at IS NOT NULL;

-- Events that asked for a run while its blueprint could take no more; each starts its run later, in this order.
CREATE TABLE held_triggers (
  blueprint_uid uuid NOT NULL REFERENCES objects ON DELETE CASCADE,
  seq bigint NOT NULL,
  trigger text NOT NULL,
  event jsonb NOT NULL,
  held_at timestamptz NOT NULL,
  PRIMARY KEY (blueprint_uid, seq, trigger)
);
-- The rate of a blueprint is counted in its runs of the last minute.
CREATE INDEX runs_made ON runs (blueprint_uid, created_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON schedules, held_triggers TO stateward_app;
