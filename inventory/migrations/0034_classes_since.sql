-- Since when a source has taken a thing for something. Of what an earlier release kept only the last day is known.
alter table thing_classes add column first_seen timestamp(3) with time zone;
update thing_classes set first_seen = last_seen;
