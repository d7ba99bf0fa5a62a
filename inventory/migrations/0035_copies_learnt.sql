-- When a copy was learnt of, since it was met first or came back. Of what an earlier release met it is not known; that counts as known
-- since the day of its record, or since its place is on the map. The trigger of past spans keeps it with them.
alter table marks add column learnt_at timestamp(3) with time zone;
