-- breaking: no
-- An instance remembers what it was launched with, which is less than what its agent comes to: scaling it changes no instance.
ALTER TABLE instances RENAME COLUMN effective_digest TO launch_digest;
