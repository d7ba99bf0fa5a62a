-- Until when each codec key was in use for sealing, as far as the processes tell: what Temporal keeps from before that
-- time needs the key. Ids of keys, never keys.

create table sealing_keys (
  id text primary key,
  -- By the database's clock.
  used_at timestamp(3) with time zone not null
);
