-- The app knows the kinds of agents and checks them on their way in; a new one needs no migration.
ALTER TABLE viral.agents DROP CONSTRAINT agents_kind_known;
