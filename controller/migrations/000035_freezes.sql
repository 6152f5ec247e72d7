-- breaking: no
-- When the whole fleet was halted, and when it went on; the newest row says how it is.
CREATE TABLE freezes (
  id uuid PRIMARY KEY,
  frozen boolean NOT NULL,
  actor text NOT NULL,
  reason text,
  correlation_id text NOT NULL,
  at timestamptz NOT NULL
);
CREATE INDEX freezes_newest ON freezes (at DESC, id DESC);
GRANT SELECT, INSERT ON freezes TO stateward_app;
