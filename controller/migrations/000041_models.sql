-- breaking: no
-- Every call of a model. A call that is paid or limited has its row before it begins, any other when it ends.
CREATE TABLE model_calls (
  call_id uuid PRIMARY KEY,
  namespace text NOT NULL,
  actor text NOT NULL,
  agent text,
  run_id uuid,
  step text,
  task_id uuid,
  turn integer,
  route text,
  rule text,
  complexity text NOT NULL,
  task_class text,
  -- Which of the backends of its request it is, from 1.
  place integer NOT NULL,
  provider text NOT NULL,
  provider_type text NOT NULL,
  class text NOT NULL CHECK (class IN ('local', 'cloud')),
  model_asked text NOT NULL,
  model_answered text,
  state text NOT NULL CHECK (state IN ('begun', 'completed', 'failed')),
  cause text,
  problem text,
  tokens_expected bigint NOT NULL,
  input_tokens bigint,
  output_tokens bigint,
  -- unknown = the provider did not say: what was kept for the call counts.
  usage text CHECK (usage IN ('reported', 'unknown')),
  -- Nano-USD.
  cost bigint NOT NULL DEFAULT 0 CHECK (cost >= 0),
  finish_reason text,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  first_token_ms integer,
  latency_ms integer,
  -- Whether an account keeps money under the id of the call.
  is_reserved boolean NOT NULL DEFAULT false,
  prompt_artifact uuid,
  answer_artifact uuid,
  correlation_id text NOT NULL,
  -- Of the process that made it.
  writer uuid NOT NULL
);
CREATE INDEX model_calls_newest ON model_calls (started_at DESC, call_id DESC);
CREATE INDEX model_calls_provider ON model_calls (provider, started_at DESC);
CREATE INDEX model_calls_route ON model_calls (namespace, route, started_at DESC);
CREATE INDEX model_calls_run ON model_calls (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX model_calls_begun ON model_calls (writer) WHERE state = 'begun';
GRANT SELECT, INSERT, UPDATE, DELETE ON model_calls TO stateward_app;

ALTER TABLE breakers DROP CONSTRAINT breakers_kind_check;
ALTER TABLE breakers ADD CONSTRAINT breakers_kind_check CHECK (kind IN ('Tool', 'Agent', 'ModelProvider'));
