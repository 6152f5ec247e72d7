-- breaking: no
-- The uid of the pod that an instance is; NULL for processes, and until the pod is known to be there.
ALTER TABLE instances ADD COLUMN pod_uid text;
