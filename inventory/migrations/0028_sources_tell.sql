-- That a value which a source met was found to work, by whoever tried it: such a leak is no suspicion.
alter table marks add column verified boolean not null default false;

-- What is said of something that the estate does not declare, or not as much of: what it is for, and when it is to end. By source, so
-- that no other one takes it back by its silence, and only as long as that source says so.
create table thing_words (
  thing text not null references things (id),
  source text not null,
  purpose text,
  expires_at timestamp(3) with time zone,
  last_seen timestamp(3) with time zone not null,
  scan text not null,
  ended_at timestamp(3) with time zone,
  primary key (thing, source)
);
