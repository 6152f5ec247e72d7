-- breaking: no
-- How often tools with a rate limit were called in their window, whoever called.
CREATE TABLE tool_rates (
  namespace text NOT NULL,
  tool text NOT NULL,
  window_start timestamptz NOT NULL,
  calls integer NOT NULL,
  PRIMARY KEY (namespace, tool)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON tool_rates TO stateward_app;
