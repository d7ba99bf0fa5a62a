-- Findings as records: each with a state of its own, who takes it upon themself and until when, and every change of that.
-- Nothing is deleted: what is no longer found ends, and what comes back goes on under its number.

create table findings (
  number bigint generated always as identity primary key,
  -- Code, subject and what else it is about: the same finding at every look.
  key text not null unique,
  code text not null,
  severity text not null check (severity in ('refuse', 'warn', 'info')),
  state text not null check (state in ('open', 'excepted', 'ended')),
  -- Id of a node of the map or of a source; of several places with one value, an id of nothing else.
  subject text not null,
  subject_type text not null,
  subject_name text not null,
  about text,
  about_type text,
  about_name text,
  -- Id of the credential that it concerns.
  credential text,
  sentence text not null,
  owners jsonb not null default '[]',
  places jsonb not null default '[]',
  exception_owner text,
  exception_reason text,
  exception_until timestamp(3) with time zone,
  first_seen timestamp(3) with time zone not null,
  last_seen timestamp(3) with time zone not null,
  -- Since when it has been in its state.
  since timestamp(3) with time zone not null,
  check ((state = 'excepted') = (exception_until is not null))
);

create index findings_credential on findings (credential) where state <> 'ended';

-- Rows are only ever added.
create table finding_changes (
  finding bigint not null references findings (number),
  at timestamp(3) with time zone not null,
  state text not null check (state in ('open', 'excepted', 'ended')),
  exception_owner text,
  exception_reason text,
  exception_until timestamp(3) with time zone
);

create index finding_changes_finding on finding_changes (finding, at);

-- When they were brought up to date last.
create table finding_looks (
  only_row boolean primary key default true check (only_row),
  at timestamp(3) with time zone not null,
  -- When that look began, by this database's clock: who asked before that need not look again.
  began timestamp with time zone not null
);

create trigger only_added before update or delete or truncate on finding_changes
  for each statement execute function refuse_rewriting();
create trigger only_ended before delete or truncate on findings
  for each statement execute function refuse_rewriting();
