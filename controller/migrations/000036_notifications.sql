-- breaking: no
-- What is to be sent, was sent, or was given up. A row is made in the transaction that moves the consumer `notifications` past its event.
CREATE TABLE notifications (
  delivery_id uuid PRIMARY KEY,
  namespace text NOT NULL,
  route text NOT NULL,
  provider text NOT NULL,
  severity text NOT NULL,
  event_id uuid NOT NULL,
  event_name text NOT NULL,
  event jsonb NOT NULL,
  -- What counts as the same news.
  news text NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
  attempts integer NOT NULL DEFAULT 0,
  -- How many more of the same, or over the limit, were not sent because of this one.
  suppressed integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  next_at timestamptz NOT NULL,
  ended_at timestamptz,
  problem text
);
CREATE INDEX notifications_due ON notifications (next_at) WHERE state = 'pending';
CREATE INDEX notifications_of_route ON notifications (namespace, route, created_at);
CREATE INDEX notifications_page ON notifications (created_at, delivery_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON notifications TO stateward_app;

-- What is in the log already is no news.
INSERT INTO consumers (name, seq) SELECT 'notifications', seq FROM log_head ON CONFLICT (name) DO NOTHING;
