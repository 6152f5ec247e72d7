-- breaking: no
-- Hosts: machines that run agents. One is the controller's own; others joined, and hold a lease that they renew with their
-- heartbeats. Where replicas run is decided by the leader and kept here.

CREATE TABLE hosts (
  name text PRIMARY KEY,
  connection text NOT NULL CHECK (connection IN ('local', 'joined')),
  -- sha256 of what the host proves itself with; the controller's own has none.
  credential_sha256 text UNIQUE,
  -- The process that supervises there; null = none, and nothing of it may run.
  session uuid,
  -- Names the data folder and the boot of the machine: the same one may go on where it was.
  machine text,
  boot_id text,
  -- Compared with the database's own clock, as leases of processes are.
  lease_until timestamptz,
  -- What joined with it, and what the token of its joining gave it.
  labels jsonb NOT NULL DEFAULT '{}',
  agent_slots integer,
  data_dir text,
  version text,
  -- What the machine has: cpu, memory, storage, network, gpu.
  hardware jsonb,
  -- What it uses, from the last heartbeat.
  metrics jsonb,
  boot_phase text,
  boot_message text,
  boot_duration_ms bigint,
  cordoned_by text,
  cordoned_at timestamptz,
  draining_since timestamptz,
  -- How many instances were there when the drain began.
  drain_total integer,
  drained_at timestamptz,
  joined_at timestamptz NOT NULL,
  last_heartbeat_at timestamptz
);
GRANT SELECT, INSERT, UPDATE, DELETE ON hosts TO stateward_app;

CREATE TABLE host_tokens (
  token_id uuid PRIMARY KEY,
  token_sha256 text NOT NULL UNIQUE,
  -- The beginning of the token, to tell it by.
  prefix text NOT NULL,
  -- Only a host of this name may use it; null = any.
  host text,
  -- Given to the host that joins with it.
  labels jsonb NOT NULL DEFAULT '{}',
  -- null = as often as wanted.
  uses_left integer CHECK (uses_left >= 0),
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  last_used_at timestamptz
);
GRANT SELECT, INSERT, UPDATE ON host_tokens TO stateward_app;

-- How an agent is wanted, for the hosts that run it.
CREATE TABLE placed_agents (
  agent_uid uuid PRIMARY KEY,
  digest text NOT NULL,
  target jsonb NOT NULL
);
CREATE TABLE placements (
  agent_uid uuid NOT NULL REFERENCES placed_agents ON DELETE CASCADE,
  ordinal integer NOT NULL,
  host text NOT NULL,
  -- What a daemon takes of the host whether it runs or not; commands take it while they run.
  slots integer NOT NULL,
  memory bigint NOT NULL,
  PRIMARY KEY (agent_uid, ordinal)
);
CREATE INDEX placements_host ON placements (host);
GRANT SELECT, INSERT, UPDATE, DELETE ON placed_agents, placements TO stateward_app;

-- What keeps a host from running an agent it was given: only a joined host knows.
CREATE TABLE host_reports (
  host text NOT NULL,
  agent_uid uuid NOT NULL,
  report jsonb NOT NULL,
  PRIMARY KEY (host, agent_uid)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON host_reports TO stateward_app;

-- Directories of the state repo as archives, for hosts that have no repo.
CREATE TABLE tree_archives (
  tree text PRIMARY KEY,
  archive bytea NOT NULL,
  used_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON tree_archives TO stateward_app;

-- Somebody reads the log of a process on a joined host; the host answers in pieces, which go when they are read.
CREATE TABLE host_log_requests (
  request_id uuid PRIMARY KEY,
  host text NOT NULL,
  instance_id uuid NOT NULL,
  streams text[] NOT NULL,
  tail_lines integer,
  follow boolean NOT NULL,
  read_at timestamptz NOT NULL,
  taken boolean NOT NULL DEFAULT false
);
CREATE TABLE host_log_pieces (
  request_id uuid NOT NULL REFERENCES host_log_requests ON DELETE CASCADE,
  n integer NOT NULL,
  text text NOT NULL,
  is_last boolean NOT NULL,
  PRIMARY KEY (request_id, n)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON host_log_requests, host_log_pieces TO stateward_app;
