-- A series' score when its alert last told of it: one that is much worse is told again. NULL for what an instance of the version before
-- opened: then it is the score.
ALTER TABLE viral.alert_series ADD COLUMN told_score double precision;
