-- breaking: no
-- Agents that were spawned while the fleet runs: instances of what is declared, owned by whoever spawned them, and part of no source.

CREATE TABLE spawned_agents (
  -- Of its object.
  uid uuid PRIMARY KEY,
  namespace text NOT NULL,
  name text NOT NULL,
  -- What it is an instance of: an AgentTemplate or an Agent of the same namespace.
  of_kind text NOT NULL CHECK (of_kind IN ('AgentTemplate', 'Agent')),
  of_name text NOT NULL,
  owner text NOT NULL,
  parent text,
  lifetime text NOT NULL CHECK (lifetime IN ('longLived', 'ephemeral')),
  host text NOT NULL,
  reason text,
  task_id uuid REFERENCES tasks ON DELETE SET NULL,
  budget_nano_usd bigint,
  deadline timestamptz,
  created_at timestamptz NOT NULL,
  ended_at timestamptz,
  end_reason text,
  CHECK (lifetime = 'longLived' OR (parent IS NOT NULL AND budget_nano_usd IS NOT NULL AND deadline IS NOT NULL))
);
CREATE INDEX spawned_agents_open ON spawned_agents (created_at) WHERE ended_at IS NULL;
CREATE INDEX spawned_agents_newest ON spawned_agents (created_at DESC, uid DESC);
GRANT SELECT, INSERT, UPDATE ON spawned_agents TO stateward_app;
