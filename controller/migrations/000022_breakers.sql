-- breaking: no
-- Breakers: a tool or an agent that is not to be used for now. No row = closed, and never opened.

CREATE TABLE breakers (
  kind text NOT NULL CONSTRAINT breakers_kind_check CHECK (kind IN ('Tool', 'Agent')),
  namespace text NOT NULL,
  name text NOT NULL,
  state text NOT NULL CONSTRAINT breakers_state_check CHECK (state IN ('closed', 'open', 'half_open')),
  reason text NOT NULL,
  opened_by text NOT NULL,
  opened_at timestamptz NOT NULL,
  -- When one call may be tried; null = not before somebody resets it.
  probe_at timestamptz,
  cooldown_seconds integer,
  -- Of half_open: since when, and until when the one that tries has time to say how it went.
  half_open_at timestamptz,
  probe_until timestamptz,
  closed_at timestamptz,
  closed_by text,
  trips integer NOT NULL DEFAULT 1,
  PRIMARY KEY (kind, namespace, name)
);
CREATE INDEX breakers_not_closed ON breakers (kind) WHERE state <> 'closed';
GRANT SELECT, INSERT, UPDATE ON breakers TO stateward_app;
