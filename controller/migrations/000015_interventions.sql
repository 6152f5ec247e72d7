-- breaking: no
-- Interventions: what somebody did to an agent at once, ahead of any commit. Never pruned with the log.

CREATE TABLE interventions (
  intervention_id uuid PRIMARY KEY,
  namespace text NOT NULL,
  agent text NOT NULL,
  agent_uid uuid NOT NULL,
  action text NOT NULL CONSTRAINT interventions_action_check CHECK (action IN ('pause', 'resume', 'terminate', 'redirect', 'constrain')),
  -- Of redirect: {to, tasks}. Of constrain: {constraints}.
  params jsonb NOT NULL,
  reason text NOT NULL,
  state text NOT NULL CONSTRAINT interventions_state_check CHECK (state IN ('pending', 'acknowledged', 'applied', 'rejected', 'expired')),
  issued_by text NOT NULL,
  issued_at timestamptz NOT NULL,
  acknowledged_at timestamptz,
  acknowledged_by text,
  -- When it was applied, rejected or expired, and what the agent said about it.
  settled_at timestamptz,
  detail text,
  expires_at timestamptz,
  -- Its override counts. Apart from `state`, which is how far the agent is with it.
  in_force boolean NOT NULL,
  ended_at timestamptz,
  ended_why text CONSTRAINT interventions_ended_why_check CHECK (ended_why IN ('merged', 'resumed', 'replaced', 'superseded', 'expired', 'orphaned')),
  -- The commit that says the same goes to the protected ref, not to a branch of its own.
  merge boolean NOT NULL,
  branch text,
  commit text,
  -- Null = nothing is left to propose; else when it is tried next.
  propose_at timestamptz,
  proposal_error text,
  correlation_id text NOT NULL
);
CREATE INDEX interventions_agent ON interventions (agent_uid, issued_at DESC);
CREATE INDEX interventions_issued ON interventions (issued_at DESC, intervention_id DESC);
CREATE INDEX interventions_open ON interventions (agent_uid) WHERE in_force OR state IN ('pending', 'acknowledged') OR propose_at IS NOT NULL;

-- What each instance of the agent was told, and what it said.
CREATE TABLE intervention_receipts (
  intervention_id uuid NOT NULL REFERENCES interventions,
  instance_id uuid NOT NULL,
  -- Null = to be told again.
  delivered_at timestamptz,
  state text CONSTRAINT intervention_receipts_state_check CHECK (state IN ('acknowledged', 'applied', 'rejected')),
  said_at timestamptz,
  PRIMARY KEY (intervention_id, instance_id)
);

ALTER TABLE overrides ADD COLUMN intervention_id uuid REFERENCES interventions;
-- When a task was last handed out: a constrained agent gets so many a minute.
ALTER TABLE tasks ADD COLUMN leased_at timestamptz;
CREATE INDEX tasks_handed_out ON tasks (namespace, agent, leased_at);

GRANT SELECT, INSERT, UPDATE ON interventions, intervention_receipts TO stateward_app;
