-- breaking: no
-- Calls of models are begun and ended in batches of one statement, which write only if what they were worked out of is still so.

-- Moves with every change of the row.
ALTER TABLE budgets ADD COLUMN version bigint NOT NULL DEFAULT 0;

-- Moves whenever an account is opened, changed or closed by what was declared: which accounts a call counts against may be others since.
CREATE TABLE budget_book (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  version bigint NOT NULL
);
INSERT INTO budget_book (version) VALUES (0);

-- Moves whenever a call of a provider with a limit a minute begins or ends.
CREATE TABLE model_windows (
  provider text PRIMARY KEY,
  version bigint NOT NULL DEFAULT 0
);
GRANT SELECT, INSERT, UPDATE, DELETE ON budget_book, model_windows TO stateward_app;
