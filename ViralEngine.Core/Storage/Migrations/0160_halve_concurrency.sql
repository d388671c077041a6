-- A rule may also halve how many calls an agent makes at a time. The number is fixed when the alert opens.
ALTER TABLE viral.alert_rules DROP CONSTRAINT alert_rules_action_known;
ALTER TABLE viral.alert_rules ADD CONSTRAINT alert_rules_action_known
    CHECK (action IN ('pause_agent', 'use_fallback', 'halve_concurrency'));

ALTER TABLE viral.agent_restraints ADD COLUMN max_concurrency integer;
ALTER TABLE viral.agent_restraints ADD CONSTRAINT agent_restraints_halved_has_number
    CHECK ((action = 'halve_concurrency') = (max_concurrency IS NOT NULL));

-- Six rules of the default are to raise a false alarm about once a month together. Rules that exist keep what they say.
ALTER TABLE viral.alert_rules ALTER COLUMN false_alarms_per_month SET DEFAULT 0.3;
