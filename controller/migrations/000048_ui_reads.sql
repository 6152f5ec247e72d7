-- breaking: no
-- Readers see which document of its file an object is, and which event started a run; the history of one object is found.
CREATE OR REPLACE VIEW v_objects AS
  SELECT uid, kind, namespace, name, source, generation, resource_version, labels, annotations, spec, status, effective_digest,
         origin_file, last_applied_revision, created_at, deletion_timestamp, origin_document, origin_oid
  FROM objects;
CREATE OR REPLACE VIEW v_runs AS
  SELECT run_id, namespace, name, blueprint, revision, plan_digest, status, priority, trigger, inputs, outputs, error, condition,
         actor, correlation_id, created_at, started_at, completed_at, deadline, parent_run, parent_kind, trigger_event
  FROM runs;
CREATE INDEX syncs_changes ON syncs USING gin (changes jsonb_path_ops);
