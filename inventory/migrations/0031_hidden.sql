-- Which records of a reading hid something. Null: of an earlier release, or a reading that may have hidden anything.
alter table scans add column hidden jsonb;
-- With which record it was said. Null: an earlier release has written it.
alter table thing_words add column record text;
