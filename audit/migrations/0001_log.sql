-- The log: entries in their order, the tree over them, and what was signed of it. Entries are only ever added;
-- that an owner of the schema can get around that is what checkpoints outside this database are for.

create table head (
  only_row boolean primary key default true check (only_row),
  origin text not null,
  size bigint not null check (size >= 0),
  root bytea not null
);

create table entries (
  index bigint primary key check (index >= 0),
  -- The text whose hash is the leaf. What is looked for is taken from it, so that it cannot say something else.
  body text not null,
  id text not null generated always as (body::json ->> 'id') stored unique,
  rotation text generated always as (body::json ->> 'rotation') stored,
  at bigint not null generated always as ((body::json ->> 'at')::bigint) stored
);

create index entries_by_rotation on entries (rotation, index) where rotation is not null;

-- Hashes of complete subtrees, 256 in a full row (C2SP tlog-tiles).
create table tiles (
  level smallint not null,
  number bigint not null,
  hashes bytea not null,
  primary key (level, number)
);

-- Hashes cannot be made smaller; nobody has to try.
alter table tiles alter column hashes set storage external;

-- What commitments in entries were made of. A row that is gone is a field that was forgotten.
create table openings (
  entry text not null,
  field text not null,
  salt text not null,
  value text not null,
  primary key (entry, field)
);

create table checkpoints (
  size bigint primary key,
  note text not null,
  at timestamp(3) with time zone not null
);

create function refuse_rewriting() returns trigger language plpgsql as $$
begin
  raise exception 'records of % are only ever added', tg_table_name using errcode = 'restrict_violation';
end $$;

create trigger only_added before update or delete or truncate on entries
  for each statement execute function refuse_rewriting();

create trigger only_added before update or delete or truncate on checkpoints
  for each statement execute function refuse_rewriting();

create trigger only_forgotten before update or truncate on openings
  for each statement execute function refuse_rewriting();

create function refuse_shrinking() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or new.size < old.size or new.origin <> old.origin then
    raise exception 'the log only grows' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger only_grows before update or delete on head
  for each row execute function refuse_shrinking();
