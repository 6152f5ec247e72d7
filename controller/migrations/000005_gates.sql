-- breaking: no
-- What a decision has to bring, and who may not make it.

ALTER TABLE gates ADD COLUMN input_schema jsonb, ADD COLUMN self_approval boolean NOT NULL DEFAULT true;
