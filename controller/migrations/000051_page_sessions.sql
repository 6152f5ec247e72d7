-- breaking: no
-- Browsers that were signed in to the page: by a link that works once, or by the identity provider. Only digests of what a
-- browser sends are kept. `verbs` are those of the principal that read, as they were then.

CREATE TABLE page_sessions (
  session_id uuid PRIMARY KEY,
  -- Of the link; null = it was used, or there was none.
  link_sha256 text UNIQUE,
  -- Of the cookie; null = the link was not used yet.
  token_sha256 text UNIQUE,
  principal text NOT NULL,
  verbs text[] NOT NULL,
  roles text[] NOT NULL,
  via text NOT NULL CHECK (via IN ('link', 'oidc')),
  created_at timestamptz NOT NULL,
  opened_at timestamptz,
  -- Of the link while it is not used, then of the session.
  expires_at timestamptz NOT NULL
);
CREATE INDEX page_sessions_principal ON page_sessions (principal);
CREATE INDEX page_sessions_expiry ON page_sessions (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON page_sessions TO stateward_app;
