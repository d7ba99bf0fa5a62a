-- Who shows a finding: ids of sources, and `estate`. What an earlier release found says it from the next look on.
alter table findings add column sources jsonb not null default '[]';

-- What a source says of a thing has a first day. Of what an earlier release kept only the last one is known.
alter table thing_words add column first_seen timestamp(3) with time zone;
update thing_words set first_seen = last_seen;
