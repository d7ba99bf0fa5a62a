-- What exists and who said so. Nothing here is ever deleted: an entry that leaves the estate ends, so that
-- its id, its past rotations and the order of its epochs outlive it.

create table installation (
  only_row boolean primary key default true check (only_row),
  id text not null,
  created_at timestamp(3) with time zone not null,
  -- Random, kept in a second place too: when the two differ, this database was restored (H32).
  restore_generation text not null
);

create table estate_revisions (
  number integer primary key,
  digest text not null,
  document json not null,
  applied_at timestamp(3) with time zone not null,
  applied_by text not null
);

create table entries (
  id text primary key,
  section text not null check (
    section in ('owners', 'stores', 'issuers', 'notifiers', 'policies', 'consumers', 'credentials')
  ),
  name text not null,
  body json not null,
  since timestamp(3) with time zone not null,
  changed_at timestamp(3) with time zone not null,
  ended_at timestamp(3) with time zone,
  unique (section, name)
);

-- Who changed by whom a credential may be decided on, or by which rules: they may not decide themselves for
-- a while (H37).
create table authority_changes (
  number bigint generated always as identity primary key,
  credential text not null references entries,
  what text not null check (what in ('owner', 'policy', 'people')),
  previously text not null,
  revision integer not null references estate_revisions,
  at timestamp(3) with time zone not null,
  by text not null
);

create index authority_changes_by_credential on authority_changes (credential, at);

create function refuse_rewriting() returns trigger language plpgsql as $$
begin
  raise exception 'records of % are only ever added', tg_table_name using errcode = 'restrict_violation';
end $$;

create trigger only_added before update or delete or truncate on estate_revisions
  for each statement execute function refuse_rewriting();

create trigger only_added before update or delete or truncate on authority_changes
  for each statement execute function refuse_rewriting();
