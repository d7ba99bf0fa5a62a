-- Adoptions: one login becomes a pair, as a plan that owners sign. They use the same decisions and the same locks
-- as rotations, so that a signature counts once and nobody turns an account over while it is being rotated.

create table adoptions (
  id text primary key,
  credential text not null references entries,
  direction text not null check (direction in ('adopt', 'undo')),
  -- The adoption whose signatures cover this way back.
  under text references adoptions,
  -- As it was signed. `json` and not `jsonb`, which would reorder it.
  plan json not null,
  digest text not null,
  requested_by text not null,
  reason text not null,
  opened_at timestamp(3) with time zone not null,
  asked_at timestamp(3) with time zone not null,
  begun_at timestamp(3) with time zone,
  working_since timestamp(3) with time zone,
  closed_at timestamp(3) with time zone,
  outcome text check (outcome in ('adopted', 'taken-back', 'refused', 'withdrawn', 'outdated', 'turned')),
  closing_reason text,
  check ((closed_at is null) = (outcome is null)),
  check (closed_at is null or working_since is null)
);

create unique index one_open_adoption on adoptions (credential) where closed_at is null;
create index adoptions_by_credential on adoptions (credential, opened_at);

create function refuse_changed_adoption() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.closed_at is not null
    or (new.id, new.credential, new.direction, new.under, new.digest, new.requested_by, new.reason, new.opened_at)
      is distinct from
       (old.id, old.credential, old.direction, old.under, old.digest, old.requested_by, old.reason, old.opened_at)
    or new.plan::text <> old.plan::text or new.begun_at is distinct from coalesce(old.begun_at, new.begun_at)
  then
    raise exception 'the plan of an adoption stays as it was signed' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger only_goes_on before update or delete on adoptions
  for each row execute function refuse_changed_adoption();

create table adoption_steps (
  adoption text not null references adoptions,
  number integer not null check (number > 0),
  epoch bigint not null,
  step text not null,
  -- Run by the program, handed to somebody to run, or found done without either.
  way text not null check (way in ('run', 'hand', 'found')),
  at timestamp(3) with time zone not null,
  -- Unknown where the adoption ended before anybody had looked.
  outcome text check (outcome in ('done', 'not-done', 'unknown')),
  outcome_at timestamp(3) with time zone,
  primary key (adoption, number),
  check ((outcome is null) = (outcome_at is null))
);

create unique index one_open_step on adoption_steps (adoption, step) where outcome is null;

create function refuse_changed_step() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.outcome is not null
    or (new.adoption, new.number, new.epoch, new.step, new.way, new.at)
      is distinct from (old.adoption, old.number, old.epoch, old.step, old.way, old.at)
  then
    raise exception 'a step is only ever settled, and once' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger only_settled before update or delete on adoption_steps
  for each row execute function refuse_changed_step();

-- Whoever holds a lock or burns a decision is a rotation or an adoption. Which of the two is asked at the end of
-- the transaction, because the holder is written after its locks were had.
alter table locks drop constraint locks_rotation_fkey;
alter table decisions drop constraint decisions_rotation_fkey;
alter table decisions drop constraint decisions_burned_by_rotation_fkey;

-- It runs when whoever commits has any search path.
create function refuse_unknown_holder() returns trigger language plpgsql set search_path from current as $$
declare
  holder text := to_jsonb(new) ->> tg_argv[0];
begin
  if holder is not null and not exists (select from rotations where id = holder)
    and not exists (select from adoptions where id = holder)
  then
    raise exception 'there is no rotation and no adoption %', holder using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;

create constraint trigger holder_exists after insert or update on locks
  deferrable initially deferred for each row execute function refuse_unknown_holder('rotation');
create constraint trigger subject_exists after insert or update on decisions
  for each row execute function refuse_unknown_holder('rotation');
create constraint trigger burner_exists after insert or update on decisions
  for each row execute function refuse_unknown_holder('burned_by_rotation');
