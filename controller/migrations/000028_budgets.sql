-- breaking: yes
-- Budgets, what is reserved of them, and the ledger: every amount that was spent, once, and never changed.

ALTER TABLE costs RENAME TO ledger_entries;
DROP VIEW ledger;
ALTER TABLE ledger_entries
  ADD COLUMN tokens bigint NOT NULL DEFAULT 0 CHECK (tokens >= 0),
  ADD COLUMN blueprint text,
  ADD COLUMN step text,
  ADD COLUMN tool text,
  -- The commit that what was run is pinned to.
  ADD COLUMN revision text,
  -- Said by who spent it, declared beforehand, or nobody knows: then what was reserved counts.
  ADD COLUMN usage text NOT NULL DEFAULT 'reported' CONSTRAINT ledger_entries_usage_check CHECK (usage IN ('reported', 'declared', 'unknown')),
  ADD COLUMN reservation text;
UPDATE ledger_entries SET tokens = input_tokens + output_tokens;
UPDATE ledger_entries e SET blueprint = r.blueprint, revision = r.revision FROM runs r WHERE r.run_id = e.run_id;
INSERT INTO ledger_entries (cost_id, occurred_at, recorded_at, namespace, agent, task_id, run_id, amount, input_tokens, output_tokens, tokens,
                            note, recorded_by, correlation_id, step, blueprint, revision)
  SELECT gen_random_uuid(), coalesce(t.completed_at, t.created_at), coalesce(t.completed_at, t.created_at), t.namespace, t.agent, t.task_id, t.run_id,
         t.cost_nano_usd, 0, 0, t.tokens, 'reported with its task', 'agent:' || t.namespace || '/' || t.agent, t.correlation_id,
         t.path, r.blueprint, r.revision
  FROM tasks t LEFT JOIN runs r USING (run_id) WHERE t.cost_nano_usd > 0 OR t.tokens > 0;
CREATE INDEX ledger_entries_run ON ledger_entries (run_id) WHERE run_id IS NOT NULL;

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries EXECUTE FUNCTION ledger_is_append_only();

-- What may be spent in a window, and how much of it is gone: one row an account, locked from the top down.
CREATE TABLE budgets (
  -- `Budget/<uid>`, `Run/<run id>`, `Spawned/<uid>`.
  account text PRIMARY KEY,
  -- The order in which rows are locked: environments first, runs last.
  rank smallint NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  scope_kind text NOT NULL CONSTRAINT budgets_scope_kind_check CHECK (scope_kind IN ('Environment', 'Project', 'Agent', 'Blueprint', 'ModelProvider', 'Run')),
  scope_name text NOT NULL,
  -- Nano-USD.
  max_amount bigint NOT NULL CHECK (max_amount >= 0),
  period text NOT NULL CONSTRAINT budgets_period_check CHECK (period IN ('hour', 'day', 'week', 'month', 'total')),
  thresholds integer[] NOT NULL,
  action text NOT NULL CONSTRAINT budgets_action_check CHECK (action IN ('Alert', 'Throttle', 'Pause', 'Kill')),
  window_start timestamptz NOT NULL,
  window_end timestamptz,
  used bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
  reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  -- The highest threshold of this window that was told of, in percent.
  told integer NOT NULL DEFAULT 0,
  -- Throttle: since when, and from what amount on, the rest of the window is spread over its time.
  paced_from timestamptz,
  paced_level bigint,
  -- Since when something has had to wait, or was refused.
  exhausted_at timestamptz,
  -- The branch on which more was proposed.
  proposal text
);
CREATE INDEX budgets_scope ON budgets (scope_kind, scope_name);

-- Money that is kept for one thing until it is known what it cost. `waiting` = there was none; it is asked for again.
CREATE TABLE budget_reservations (
  -- `<run>/<step path>/<attempt>`.
  id text PRIMARY KEY,
  state text NOT NULL CONSTRAINT budget_reservations_state_check CHECK (state IN ('waiting', 'reserved', 'settled', 'released')),
  accounts text[] NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  -- Of it, what was reported and is in the ledger already.
  reported bigint NOT NULL DEFAULT 0 CHECK (reported >= 0),
  -- What it came to; null while it is open.
  charged bigint,
  usage text CONSTRAINT budget_reservations_usage_check CHECK (usage IN ('reported', 'declared', 'unknown')),
  namespace text NOT NULL,
  project text,
  -- Who spends it, and those it was spawned or is supervised by, the nearest first.
  agents text[] NOT NULL,
  blueprint text,
  run_id uuid,
  step text,
  attempt integer,
  tool text,
  provider text,
  model text,
  revision text,
  actor text NOT NULL,
  correlation_id text NOT NULL,
  created_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE INDEX budget_reservations_open ON budget_reservations (created_at) WHERE state IN ('waiting', 'reserved');
CREATE INDEX budget_reservations_run ON budget_reservations (run_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON budgets, budget_reservations TO stateward_app;
