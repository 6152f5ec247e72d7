-- breaking: no
-- A draft is saved again and again; each revision is a commit on the branch of its proposal. What was found about one is its
-- report; what was promoted has a version, and a tag in Git.

ALTER TABLE drafts
  ADD COLUMN revision integer NOT NULL DEFAULT 1,
  ADD COLUMN saved_at timestamptz,
  ADD COLUMN notes text NOT NULL DEFAULT '',
  ADD COLUMN trigger_event_type text,
  ADD COLUMN run_id uuid,
  -- From the root of the repository; null = saved before revisions were counted.
  ADD COLUMN path text,
  ADD COLUMN item text,
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD COLUMN tag text,
  ADD COLUMN promoted_at timestamptz;
UPDATE drafts SET saved_at = created_at, item = name;
UPDATE drafts d SET promoted_at = p.closed_at FROM proposals p WHERE p.proposal_id = d.proposal_id AND p.state = 'merged';
ALTER TABLE drafts ALTER COLUMN saved_at SET NOT NULL, ALTER COLUMN item SET NOT NULL;
CREATE INDEX drafts_proposal ON drafts (proposal_id);
CREATE INDEX drafts_unpromoted ON drafts (draft_id) WHERE promoted_at IS NULL;
GRANT UPDATE ON drafts TO stateward_app;

CREATE TABLE draft_revisions (
  draft_id uuid NOT NULL REFERENCES drafts,
  revision integer NOT NULL,
  commit text NOT NULL,
  artifact_id uuid,
  notes text NOT NULL,
  saved_by text NOT NULL,
  saved_at timestamptz NOT NULL,
  PRIMARY KEY (draft_id, revision)
);
GRANT SELECT, INSERT ON draft_revisions TO stateward_app;

CREATE TABLE draft_reports (
  draft_id uuid NOT NULL REFERENCES drafts,
  revision integer NOT NULL,
  -- Commit of the branch, and head of the protected one, that were looked at.
  head text NOT NULL,
  onto text,
  is_valid boolean NOT NULL,
  issues jsonb NOT NULL,
  artifact_id uuid,
  checked_by text NOT NULL,
  checked_at timestamptz NOT NULL,
  PRIMARY KEY (draft_id, revision)
);
GRANT SELECT, INSERT, UPDATE ON draft_reports TO stateward_app;
