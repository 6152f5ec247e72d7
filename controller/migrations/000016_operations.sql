-- breaking: no
-- The newest run of each operation. Runs that events start are not in it, so it costs them nothing.
CREATE INDEX runs_operations ON runs (namespace, trigger, created_at DESC) WHERE trigger LIKE 'operation:%';
