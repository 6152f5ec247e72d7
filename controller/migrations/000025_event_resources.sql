-- breaking: no
-- The events of a run are found by its id; only those of other things are looked up by what they are about.
DROP INDEX events_resource;
CREATE INDEX events_resource ON events (resource_type, resource_id, seq) WHERE resource_id IS NOT NULL AND resource_type <> 'Run';
