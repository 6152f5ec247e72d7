-- breaking: no
-- Who agreed to, or rejected, a change of an object: from exactly one effective digest to exactly one other.
CREATE TABLE change_approvals (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  -- NULL = it is created; both are part of what was decided.
  from_digest text,
  -- NULL = it is deleted.
  to_digest text,
  decision text NOT NULL CHECK (decision IN ('approve', 'reject')),
  actor text NOT NULL,
  -- What the credential it was said with stood for.
  roles text[] NOT NULL,
  source text NOT NULL CHECK (source IN ('api', 'cli', 'forge', 'commit', 'merge')),
  proposal text,
  revision text,
  reason text,
  correlation_id text NOT NULL,
  decided_at timestamptz NOT NULL
);
CREATE INDEX change_approvals_object ON change_approvals (kind, namespace, name, decided_at);
CREATE INDEX change_approvals_proposal ON change_approvals (proposal, decided_at) WHERE proposal IS NOT NULL;
-- What a commit says, it says once.
CREATE UNIQUE INDEX change_approvals_commit ON change_approvals (kind, namespace, name, from_digest, to_digest, actor, revision)
  NULLS NOT DISTINCT WHERE source IN ('commit', 'merge');
GRANT SELECT, INSERT ON change_approvals TO stateward_app;
