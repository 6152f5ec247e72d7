-- breaking: no
-- Keys of people and programs: what is stored is the digest of a key, never the key.

CREATE TABLE api_keys (
  key_id uuid PRIMARY KEY,
  name text NOT NULL,
  -- The beginning of the key, to tell it by.
  prefix text NOT NULL,
  digest text NOT NULL UNIQUE,
  roles text[] NOT NULL,
  -- Only these of the verbs of the roles; null = all of them.
  verbs text[],
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_by text,
  revoked_at timestamptz,
  last_used_at timestamptz
);

CREATE UNIQUE INDEX api_keys_live_name ON api_keys (name) WHERE revoked_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON api_keys TO stateward_app;
