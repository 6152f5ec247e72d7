-- breaking: no
-- Gates that a merge decides: what is asked, and the branch that proposes the decision.

ALTER TABLE gates
  ADD COLUMN input_digest text NOT NULL DEFAULT '',
  ADD COLUMN proposal text,
  -- When the branch was made; null until then, and for ever where the source has no branches.
  ADD COLUMN proposed_at timestamptz;
CREATE INDEX gates_to_propose ON gates (created_at) WHERE state = 'waiting' AND proposal IS NOT NULL AND proposed_at IS NULL;
