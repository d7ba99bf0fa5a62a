-- How far each log of a source reaches that reads several. Null: they are one, or a worker of an earlier release has read it.
alter table scans add column reaches jsonb;
