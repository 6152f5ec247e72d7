-- breaking: no
-- Work of agents that are models: one loop an attempt of a task. `owner` is the process that turns it; null = whoever is free.
CREATE TABLE model_loops (
  task_id uuid NOT NULL REFERENCES tasks (task_id) ON DELETE CASCADE,
  attempt integer NOT NULL,
  namespace text NOT NULL,
  agent text NOT NULL,
  owner uuid REFERENCES writers (id) ON DELETE SET NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (task_id, attempt)
);
CREATE INDEX model_loops_open ON model_loops (namespace, agent) WHERE ended_at IS NULL;
CREATE INDEX model_loops_free ON model_loops (started_at) WHERE ended_at IS NULL AND owner IS NULL;
CREATE INDEX model_loops_owner ON model_loops (owner) WHERE owner IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON model_loops TO stateward_app;

-- What a model said in each turn. The row is written with the end of its call, so that no answer is paid twice.
CREATE TABLE model_turns (
  task_id uuid NOT NULL,
  attempt integer NOT NULL,
  turn integer NOT NULL,
  call_id uuid NOT NULL,
  text text NOT NULL,
  tool_calls jsonb NOT NULL,
  -- Of all its calls of tools; null = they have not all ended.
  results jsonb,
  -- What it is told when its answer does not fit.
  correction text,
  tokens bigint NOT NULL,
  cost bigint NOT NULL,
  -- sha256 of the instructions the turn was asked with.
  prompt_digest text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (task_id, attempt, turn),
  FOREIGN KEY (task_id, attempt) REFERENCES model_loops (task_id, attempt) ON DELETE CASCADE
);
GRANT SELECT, INSERT, UPDATE, DELETE ON model_turns TO stateward_app;

-- Instructions of agents that stand in files of the state repo, as they were accepted last.
CREATE TABLE prompt_files (
  namespace text NOT NULL,
  agent text NOT NULL,
  oid text NOT NULL,
  content text NOT NULL,
  kept_at timestamptz NOT NULL,
  PRIMARY KEY (namespace, agent)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON prompt_files TO stateward_app;
