-- breaking: no
-- The work graph: items of every type in one table, and how they relate. What the types are is data of the program.

CREATE TABLE work_items (
  item_id uuid PRIMARY KEY,
  type text NOT NULL CHECK (length(type) <= 63),
  namespace text NOT NULL,
  name text NOT NULL,
  project text,
  parent_id uuid REFERENCES work_items,
  title text NOT NULL,
  description text NOT NULL DEFAULT '',
  state text NOT NULL,
  -- What the state means to whoever waits for the item.
  phase text NOT NULL CHECK (phase IN ('open', 'done', 'dropped')),
  -- `agent:<namespace>/<name>`, `user:<name>`.
  assignee text,
  required_capabilities text[] NOT NULL DEFAULT '{}',
  priority integer NOT NULL DEFAULT 0,
  fields jsonb NOT NULL DEFAULT '{}',
  version integer NOT NULL DEFAULT 1,
  created_by text NOT NULL,
  correlation_id text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  closed_at timestamptz,
  UNIQUE (namespace, name),
  CHECK (parent_id IS DISTINCT FROM item_id),
  CHECK ((phase = 'open') = (closed_at IS NULL))
);
CREATE INDEX work_items_newest ON work_items (created_at DESC, item_id DESC);
CREATE INDEX work_items_type ON work_items (type, created_at DESC, item_id DESC);
CREATE INDEX work_items_parent ON work_items (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX work_items_project ON work_items (namespace, project) WHERE project IS NOT NULL;
CREATE INDEX work_items_assignee ON work_items (assignee) WHERE assignee IS NOT NULL AND phase = 'open';

CREATE TABLE work_edges (
  from_id uuid NOT NULL REFERENCES work_items,
  relation text NOT NULL CHECK (length(relation) <= 63),
  -- `WorkItem` or `Run`; a run may be gone before what was said about it.
  to_kind text NOT NULL CHECK (to_kind IN ('WorkItem', 'Run')),
  to_id uuid NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (from_id, relation, to_id),
  CHECK (from_id <> to_id)
);
CREATE INDEX work_edges_to ON work_edges (to_id, relation);

-- What readers find by the names they look for.
CREATE VIEW sessions AS SELECT * FROM work_items WHERE type = 'session';
CREATE VIEW escalations AS SELECT * FROM work_items WHERE type = 'escalation';
CREATE VIEW human_decisions AS SELECT * FROM work_items WHERE type = 'human_decision';
CREATE VIEW evaluations AS SELECT * FROM work_items WHERE type = 'evaluation';
CREATE VIEW reflections AS SELECT * FROM work_items WHERE type = 'reflection';
CREATE VIEW improvements AS SELECT * FROM work_items WHERE type = 'improvement';

GRANT SELECT, INSERT, UPDATE ON work_items TO stateward_app;
GRANT SELECT, INSERT, DELETE ON work_edges TO stateward_app;
GRANT SELECT ON sessions, escalations, human_decisions, evaluations, reflections, improvements TO stateward_app;
