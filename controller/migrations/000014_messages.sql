-- breaking: no
-- Messages: each once, and a delivery for every agent that it reaches. What a delivery says changes, so it is no event.

CREATE TABLE messages (
  -- Also the id of the event that says it was sent.
  message_id uuid PRIMARY KEY,
  -- The number of that event: the order in which messages are read.
  seq bigint NOT NULL,
  namespace text NOT NULL,
  sender text NOT NULL,
  to_kind text NOT NULL CHECK (to_kind IN ('agent', 'role', 'topic')),
  to_name text NOT NULL,
  topic text,
  thread_id uuid NOT NULL,
  reply_to uuid,
  type text NOT NULL,
  subject text,
  body text NOT NULL,
  data jsonb NOT NULL,
  attachments jsonb NOT NULL,
  -- The sender's own: the same again is the same message.
  idempotency_key text,
  -- Of what was sent, to tell another message under the same key.
  request_digest text,
  correlation_id text NOT NULL,
  sent_at timestamptz NOT NULL,
  expires_at timestamptz,
  -- How many it reached when it was sent. A role that nobody held then reads it later.
  recipients integer NOT NULL,
  words tsvector NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('simple', coalesce(subject, '')), 'A') || to_tsvector('simple', body)) STORED
);
CREATE UNIQUE INDEX messages_seq ON messages (seq);
CREATE UNIQUE INDEX messages_key ON messages (namespace, sender, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX messages_thread ON messages (thread_id, seq);
CREATE INDEX messages_sender ON messages (sender, seq);
-- Sent in the order of the rows, nearly.
CREATE INDEX messages_sent ON messages USING brin (sent_at);
CREATE INDEX messages_topic ON messages (namespace, topic, seq) WHERE topic IS NOT NULL;
CREATE INDEX messages_words ON messages USING gin (words);
CREATE INDEX messages_waiting ON messages (namespace, to_name, seq) WHERE to_kind = 'role' AND recipients = 0;

CREATE TABLE deliveries (
  message_id uuid NOT NULL,
  namespace text NOT NULL,
  agent text NOT NULL,
  seq bigint NOT NULL,
  expires_at timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  -- When the last attempt began.
  delivered_at timestamptz,
  acked_at timestamptz,
  acked_by text,
  -- Given up.
  dead_at timestamptz,
  dead_reason text CHECK (dead_reason IN ('unacknowledged', 'expired')),
  PRIMARY KEY (message_id, namespace, agent)
);
CREATE INDEX deliveries_pending ON deliveries (namespace, agent, seq) WHERE acked_at IS NULL AND dead_at IS NULL;
CREATE INDEX deliveries_of_agent ON deliveries (namespace, agent, seq DESC);
CREATE INDEX deliveries_dead ON deliveries (dead_at, message_id, agent) WHERE dead_at IS NOT NULL;

GRANT SELECT, INSERT, DELETE ON messages TO stateward_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON deliveries TO stateward_app;
