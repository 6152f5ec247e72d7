-- breaking: no
-- The commit at refs/stateward/freeze that says the same; of a row that lets the fleet go on, that of the freeze it ended.
ALTER TABLE freezes ADD COLUMN commit text;
GRANT UPDATE (commit) ON freezes TO stateward_app;
