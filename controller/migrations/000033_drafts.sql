-- breaking: no
-- What was written before it was proposed as files: a blueprint, or a pack of documents. Its proposal says how far it is.

CREATE TABLE drafts (
  draft_id uuid PRIMARY KEY,
  proposal_id text NOT NULL REFERENCES proposals,
  namespace text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('blueprint', 'pack')),
  content jsonb NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX drafts_newest ON drafts (created_at DESC, draft_id DESC);
GRANT SELECT, INSERT ON drafts TO stateward_app;
