-- What Rekey's own processes say of themselves every few seconds: which codec keys each of them can open, and with
-- which one it seals. Ids of keys, never keys. A row that has grown old is a process that is gone.

create table processes (
  id text primary key,
  role text not null check (role in ('worker', 'server')),
  -- Host and number of the process, for people.
  name text not null,
  opens text[] not null,
  seals text not null,
  -- By the database's clock, so that nobody else's has a say in it.
  seen_at timestamp(3) with time zone not null
);
