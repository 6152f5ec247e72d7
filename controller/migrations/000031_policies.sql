-- breaking: no
-- Policies: every version that was in force, and what was decided by them. Rows are added, never changed.

CREATE TABLE policy_versions (
  uid uuid NOT NULL,
  version integer NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  -- sha256 of the spec as written.
  digest text NOT NULL,
  spec jsonb NOT NULL,
  -- The commit that brought it.
  revision text NOT NULL,
  activated_at timestamptz NOT NULL,
  activated_by text NOT NULL,
  PRIMARY KEY (uid, version)
);
CREATE INDEX policy_versions_name ON policy_versions (namespace, name, activated_at DESC);
GRANT SELECT, INSERT ON policy_versions TO stateward_app;

CREATE TABLE policy_decisions (
  decision_id uuid PRIMARY KEY,
  decided_at timestamptz NOT NULL,
  point text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  -- Of what it is about; empty = it has none.
  namespace text NOT NULL,
  resource_type text NOT NULL,
  resource_name text NOT NULL,
  env_id text NOT NULL,
  risk text NOT NULL,
  effect text NOT NULL CONSTRAINT policy_decisions_effect_check CHECK (effect IN ('allow', 'deny', 'require_approval')),
  -- The version and the rule that decided; null = those that are about it only record what they would decide.
  policy_uid uuid,
  policy text,
  policy_version integer,
  rule text,
  reason text NOT NULL,
  -- What each policy said: [{policy, version, rule, effect, enforced}].
  opinions jsonb NOT NULL,
  -- sha256 of what was asked; the question itself, null = it was too large to be kept.
  inputs_digest text NOT NULL,
  inputs jsonb,
  run_id uuid,
  step_id uuid,
  proposal text,
  correlation_id text NOT NULL
);
CREATE INDEX policy_decisions_newest ON policy_decisions (decided_at DESC, decision_id DESC);
CREATE INDEX policy_decisions_policy ON policy_decisions (policy, decided_at DESC);
CREATE INDEX policy_decisions_run ON policy_decisions (run_id) WHERE run_id IS NOT NULL;
GRANT SELECT, INSERT ON policy_decisions TO stateward_app;
