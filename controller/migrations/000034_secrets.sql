-- breaking: no
-- What SOPS encrypted, as it stands in the state repo: processes that have no repo read it here. It never holds plain text.
CREATE TABLE secret_files (
  store text PRIMARY KEY,
  oid text NOT NULL,
  content text NOT NULL,
  kept_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON secret_files TO stateward_app;
