-- What is to be told to the audit log: written in the transaction of that which it tells of, so that neither
-- is there without the other, and taken from here once the log has it. The log may be another database.

create table audit_outbox (
  number bigint generated always as identity primary key,
  id text not null unique,
  -- Text and not json: its bytes are what is hashed.
  body text not null,
  openings json not null
);

-- A waiting entry is taken away whole; nobody has a reason to change one.
create trigger only_taken before update on audit_outbox
  for each statement execute function refuse_rewriting();
