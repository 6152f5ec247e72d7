-- breaking: no
-- What differs from Git at this moment, with no commit that says so. A row goes when its difference does.
CREATE TABLE drifts (
  id uuid PRIMARY KEY,
  object_uid uuid NOT NULL,
  kind text NOT NULL,
  namespace text NOT NULL,
  name text NOT NULL,
  -- What sees it: override, replicas, file.
  source text NOT NULL,
  -- What differs: a pointer into the object, or a path of the state repo.
  field text NOT NULL,
  live jsonb,
  declared jsonb,
  detail text NOT NULL,
  set_by text,
  since timestamptz NOT NULL,
  -- Somebody asked for what Git says; it takes until the row is gone.
  enforcing boolean NOT NULL DEFAULT false,
  -- The proposal that takes over the live value.
  branch text,
  commit text,
  CONSTRAINT drifts_field UNIQUE (object_uid, source, field)
);
CREATE INDEX drifts_listed ON drifts (kind, namespace, name, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON drifts TO stateward_app;

ALTER TABLE interventions DROP CONSTRAINT interventions_ended_why_check;
ALTER TABLE interventions ADD CONSTRAINT interventions_ended_why_check
  CHECK (ended_why IN ('merged', 'resumed', 'replaced', 'superseded', 'expired', 'orphaned', 'enforced'));
