-- breaking: no
-- What an open breaker does to its target, and which Breaker opened it.

ALTER TABLE breakers
  ADD COLUMN effect text NOT NULL DEFAULT 'pause' CONSTRAINT breakers_effect_check CHECK (effect IN ('notify', 'throttle', 'pause', 'terminate')),
  -- Name of the Breaker, in the namespace of its target; null = another reason.
  ADD COLUMN declared_by text;
CREATE INDEX breakers_declared ON breakers (namespace, declared_by) WHERE declared_by IS NOT NULL;
