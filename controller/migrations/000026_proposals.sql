-- breaking: no
-- Proposals: changes of the state repo on branches of their own, whoever made them. Git holds what they change; here stands
-- who proposes, how it was checked, what it would do, and what became of it.

CREATE TABLE proposals (
  proposal_id text PRIMARY KEY,
  -- Without refs/heads/.
  branch text NOT NULL,
  state text NOT NULL CONSTRAINT proposals_state_check CHECK (state IN ('open', 'merged', 'rejected', 'expired', 'superseded')),
  title text NOT NULL,
  description text NOT NULL,
  -- user:ada, agent:default/sre, key:ci, system, or git:<address> where all that is known is what the commit says.
  author text NOT NULL,
  author_kind text NOT NULL CONSTRAINT proposals_author_kind_check CHECK (author_kind IN ('user', 'agent', 'system')),
  -- Everybody who brought commits of it here, the author among them: none of them approves it.
  contributors text[] NOT NULL,
  namespace text NOT NULL,
  -- The proposing agent, in that namespace.
  agent text,
  run_id uuid,
  correlation_id text NOT NULL,
  labels jsonb NOT NULL DEFAULT '{}',
  -- What it is about, by the words of who made it: a newer one of the same author takes its place.
  topic text,
  -- Where the branch left the protected one, and where it stands.
  base text NOT NULL,
  head text NOT NULL,
  -- Head of the protected branch that the checks were made against; null = not checked yet.
  onto text,
  -- What was looked at last came to this error; null = it was checked.
  check_error text,
  files jsonb NOT NULL DEFAULT '[]',
  checks jsonb NOT NULL DEFAULT '[]',
  plan jsonb,
  plan_digest text,
  risk text CONSTRAINT proposals_risk_check CHECK (risk IN ('low', 'medium', 'high')),
  -- Where a forge shows it.
  forge jsonb,
  opened_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  expires_at timestamptz,
  closed_at timestamptz,
  closed_by text,
  reason text,
  -- The commit of the protected branch that holds it.
  landed text,
  superseded_by text REFERENCES proposals DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX proposals_open ON proposals (branch) WHERE state = 'open';
CREATE INDEX proposals_branch ON proposals (branch, opened_at DESC);
CREATE INDEX proposals_newest ON proposals (opened_at DESC, proposal_id DESC);
GRANT SELECT, INSERT, UPDATE ON proposals TO stateward_app;
