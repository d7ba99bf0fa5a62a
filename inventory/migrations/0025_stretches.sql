-- When there were records in a log: the first and the last of a reading say nothing of a pause between them. Null: of an earlier
-- release, of which only the ends are known.
alter table scans add column stretches jsonb;
