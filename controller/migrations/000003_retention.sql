-- breaking: no
-- Events that nobody needs any more, a partition at a time.

-- Drops the partitions of events, the oldest first, whose newest event is older than `older_than`, which every durable
-- consumer has read, and which do not hold the head. The owner's function, for a process that owns nothing. What
-- log_batches says stays, so the chain can be verified. A reader that holds a partition for long is not waited for: it
-- fails with lock_not_available, and the next call tries again.
CREATE FUNCTION events_drop_partitions(older_than timestamptz) RETURNS TABLE (partition text, first_seq bigint, last_seq bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '2s' AS $$
DECLARE
  size CONSTANT bigint := 1000000;
  head bigint := (SELECT log_head.seq FROM log_head);
  consumed bigint := (SELECT min(consumers.seq) FROM consumers);
  part bigint;
  newest timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('stateward.events_ensure_partition'));
  FOR partition, part IN
    SELECT relname, substring(relname FROM '^events_p([0-9]+)$')::bigint
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'events'::regclass ORDER BY 2
  LOOP
    first_seq := greatest(part * size, 1);
    last_seq := (part + 1) * size - 1;
    EXIT WHEN last_seq >= head OR last_seq > consumed;
    EXECUTE format('SELECT occurred_at FROM %I ORDER BY seq DESC LIMIT 1', partition) INTO newest;
    EXIT WHEN newest >= older_than;
    EXECUTE format('DROP TABLE %I', partition);
    RETURN NEXT;
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION events_drop_partitions(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events_drop_partitions(timestamptz) TO stateward_app;
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
