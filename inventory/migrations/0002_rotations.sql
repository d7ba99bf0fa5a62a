-- Rotations: their locks, what happened in them, and what was about to be done. The rules that must hold
-- whatever the program does are constraints and triggers here: one open rotation a credential, one open
-- intent a rotation, epochs that only grow, records that are only added.

create table rotations (
  id text primary key,
  credential text not null references entries,
  workflow_id text not null,
  run_id text not null,
  nonce text not null,
  epoch bigint not null check (epoch > 0),
  mode text not null check (mode in ('ordinary', 'emergency', 'adopt')),
  -- The state before the first event. `json` and not `jsonb`, which would reorder the versions in it.
  initial json not null,
  requested_by text not null,
  reason text not null,
  -- Where it stands, for people; nothing is decided from it.
  gate text,
  standing text,
  opened_at timestamp(3) with time zone not null,
  closed_at timestamp(3) with time zone,
  outcome text check (outcome in ('rotated', 'went-back', 'refused')),
  closing_reason text,
  check ((closed_at is null) = (outcome is null))
);

create unique index one_open_rotation on rotations (credential) where closed_at is null;
create index rotations_by_credential on rotations (credential, opened_at);

create table rotation_epochs (
  rotation text not null references rotations,
  epoch bigint not null,
  workflow_id text not null,
  nonce text not null,
  taken_at timestamp(3) with time zone not null,
  -- Number of the event that recorded the takeover, and of the change that was under way then.
  event_seq integer,
  open_change bigint,
  primary key (rotation, epoch)
);

-- Which run held which epoch: a run that comes back late is told so instead of taking over again (H3). A run
-- that continued as another handed its epoch on.
create table rotation_runs (
  workflow_id text not null,
  run_id text not null,
  rotation text not null,
  epoch bigint not null,
  since timestamp(3) with time zone not null,
  continued_from text,
  primary key (workflow_id, run_id),
  foreign key (rotation, epoch) references rotation_epochs
);

-- A free lock keeps its row and its epoch, so that no later rotation can begin with an epoch that was used.
create table locks (
  key text primary key,
  -- Deferred, because the rotation is written after its locks were had.
  rotation text references rotations deferrable initially deferred,
  epoch bigint not null
);

create index locks_by_rotation on locks (rotation) where rotation is not null;

create function refuse_older_epoch() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or new.epoch < old.epoch or new.key <> old.key then
    raise exception 'the epoch of a lock only grows' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger epochs_only_grow before update or delete on locks
  for each row execute function refuse_older_epoch();

create table rotation_events (
  rotation text not null references rotations,
  seq integer not null check (seq > 0),
  epoch bigint not null,
  at timestamp(3) with time zone not null,
  -- Names the event for ever; a second attempt to record it finds it by this.
  key text not null,
  event json not null,
  primary key (rotation, seq),
  unique (rotation, key)
);

create trigger only_added before update or delete or truncate on rotation_events
  for each statement execute function refuse_rewriting();

create table intents (
  rotation text not null references rotations,
  change bigint not null check (change > 0),
  epoch bigint not null,
  step json not null,
  expects json not null,
  at timestamp(3) with time zone not null,
  outcome text check (outcome in ('done', 'not-done', 'unknown')),
  outcome_at timestamp(3) with time zone,
  -- The event that tells the outcome; none when a later step or a takeover left it unknown.
  event_seq integer,
  primary key (rotation, change),
  check ((outcome is null) = (outcome_at is null))
);

create unique index one_open_intent on intents (rotation) where outcome is null;

create function refuse_changed_intent() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.outcome is not null
    or (new.rotation, new.change, new.epoch, new.at) is distinct from (old.rotation, old.change, old.epoch, old.at)
    or new.step::text <> old.step::text or new.expects::text <> old.expects::text
  then
    raise exception 'an intent is only ever settled, and once' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger only_settled before update or delete on intents
  for each row execute function refuse_changed_intent();

-- One rotation at a time moves a consumer (H39).
create table leases (
  consumer text primary key,
  rotation text not null references rotations,
  since timestamp(3) with time zone not null
);

create index leases_by_rotation on leases (rotation);

create table versions (
  id text primary key,
  credential text not null references entries,
  slot text not null,
  life text not null,
  rotation text references rotations,
  created_at timestamp(3) with time zone not null,
  ended_at timestamp(3) with time zone
);

create index versions_by_credential on versions (credential, created_at);
create unique index one_active_version on versions (credential) where life = 'active';
