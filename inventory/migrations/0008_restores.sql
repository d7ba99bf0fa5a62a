-- How far these records have come, and what happened when they were found to be older than the world (H32). The
-- same is noted outside this database; a restore puts this row back, and not the note.

alter table installation
  -- Grows with every restore that was accepted; of two equal ones with different marks of their own one is a fork.
  add column generation_number bigint not null default 1 check (generation_number > 0),
  -- Grows with every intent of a change.
  add column mark bigint not null default 0;

create table restores (
  id text primary key,
  noticed_at timestamp(3) with time zone not null,
  -- Sentences: what stands outside and is not in the records.
  evidence json not null,
  -- Empty while every change is refused.
  lifted_at timestamp(3) with time zone,
  lifted_by text,
  document text,
  check ((lifted_at is null) = (lifted_by is null))
);

create unique index one_restore_at_a_time on restores ((lifted_at is null)) where lifted_at is null;

-- Rotations that a tag outside knows further than the records do, as they stood when a restore was accepted.
create table lost_changes (
  rotation text not null,
  epoch bigint not null,
  change bigint not null,
  restore text not null references restores,
  primary key (rotation, epoch, change)
);
