-- breaking: no
-- What policies said about the change of an object is looked up by the object: to write it once, and to tell why.
CREATE INDEX policy_decisions_change ON policy_decisions (resource_type, namespace, resource_name, inputs_digest) WHERE point = 'proposal';
