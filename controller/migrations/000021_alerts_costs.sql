-- breaking: no
-- Alerts: what somebody should look at, until he has. Costs: what was spent, and by whom.

CREATE TABLE alerts (
  alert_id uuid PRIMARY KEY,
  -- What it is about, by the words of who raised it: raised again under the same key, it is the same alert.
  key text NOT NULL,
  rule text NOT NULL,
  namespace text NOT NULL,
  agent text,
  severity text NOT NULL CONSTRAINT alerts_severity_check CHECK (severity IN ('info', 'warning', 'critical')),
  state text NOT NULL CONSTRAINT alerts_state_check CHECK (state IN ('open', 'acknowledged', 'resolved')),
  title text NOT NULL,
  message text NOT NULL,
  raised_by text NOT NULL,
  raised_at timestamptz NOT NULL,
  last_raised_at timestamptz NOT NULL,
  count integer NOT NULL DEFAULT 1,
  acknowledged_by text,
  acknowledged_at timestamptz,
  resolved_by text,
  resolved_at timestamptz,
  note text,
  -- The event it was raised from.
  event_id uuid,
  correlation_id text NOT NULL
);
CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE state <> 'resolved';
CREATE INDEX alerts_newest ON alerts (raised_at DESC, alert_id DESC);
GRANT SELECT, INSERT, UPDATE ON alerts TO stateward_app;

-- A ledger: rows are added, never changed.
CREATE TABLE costs (
  cost_id uuid PRIMARY KEY,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  namespace text NOT NULL,
  project text,
  agent text,
  provider text,
  model text,
  task_id uuid,
  run_id uuid,
  ticket text,
  -- Nano-USD.
  amount bigint NOT NULL CHECK (amount >= 0),
  input_tokens bigint NOT NULL CHECK (input_tokens >= 0),
  output_tokens bigint NOT NULL CHECK (output_tokens >= 0),
  note text,
  recorded_by text NOT NULL,
  correlation_id text NOT NULL
);
CREATE INDEX costs_newest ON costs (occurred_at DESC, cost_id DESC);
CREATE INDEX costs_agent ON costs (namespace, agent, occurred_at DESC);
CREATE INDEX costs_project ON costs (namespace, project, occurred_at DESC);
GRANT SELECT, INSERT ON costs TO stateward_app;

-- All that was spent: reported by itself, or together with a task, which says how many tokens and not of which kind.
CREATE VIEW ledger AS
  SELECT cost_id, occurred_at, recorded_at, namespace, project, agent, provider, model, task_id, run_id, ticket, amount,
         input_tokens + output_tokens AS tokens, input_tokens, output_tokens, note, recorded_by, correlation_id
  FROM costs
  UNION ALL
  SELECT task_id, coalesce(completed_at, created_at), coalesce(completed_at, created_at), namespace, NULL, agent, NULL, NULL, task_id, run_id,
         NULL, cost_nano_usd, tokens, 0, 0, 'reported with its task', 'agent:' || namespace || '/' || agent, correlation_id
  FROM tasks WHERE cost_nano_usd > 0 OR tokens > 0;
GRANT SELECT ON ledger TO stateward_app;
