-- What people said and were told, and what they reported. Signed documents are kept as they came; of a
-- reported value only keyed hashes of the versions that we made are known, never the value.

create table decisions (
  jti text primary key,
  -- Null for an emergency that is reported before a rotation exists.
  rotation text references rotations,
  credential text not null references entries,
  digest text not null,
  person text not null,
  says text not null check (says in ('approve', 'reject', 'confirm', 'emergency', 'sign-off')),
  consumer text,
  owners text[] not null,
  jws text not null,
  issued_at timestamp(3) with time zone not null,
  expires_at timestamp(3) with time zone not null,
  received_at timestamp(3) with time zone not null,
  burned_at timestamp(3) with time zone,
  burned_by_rotation text references rotations,
  burned_by_change bigint,
  check ((burned_at is null) = (burned_by_rotation is null))
);

create index decisions_by_rotation on decisions (rotation);

create function refuse_changed_decision() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.burned_at is not null
    or (new.jti, new.rotation, new.credential, new.digest, new.person, new.says, new.consumer, new.owners,
        new.jws, new.issued_at, new.expires_at, new.received_at)
      is distinct from
       (old.jti, old.rotation, old.credential, old.digest, old.person, old.says, old.consumer, old.owners,
        old.jws, old.issued_at, old.expires_at, old.received_at)
  then
    raise exception 'a decision is only ever burned, and once' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger only_burned before update or delete on decisions
  for each row execute function refuse_changed_decision();

create table notices (
  id text primary key,
  rotation text references rotations,
  kind text not null,
  recipients text[] not null,
  at timestamp(3) with time zone not null,
  sent_at timestamp(3) with time zone
);

create index notices_by_rotation on notices (rotation);

create table incidents (
  id text primary key,
  credential text not null references entries,
  rotation text references rotations,
  reason text not null,
  reported_by text not null,
  at timestamp(3) with time zone not null,
  -- Ids of the versions that the reported value turned out to be; empty when it matched none.
  matched text[] not null,
  sign_off_by timestamp(3) with time zone not null,
  signed_off_at timestamp(3) with time zone,
  signed_off_with text references decisions
);

create index incidents_by_credential on incidents (credential, at);

-- Kept after a version's end: a dead value that is accepted again is an incident (H32).
create table fingerprints (
  version text not null,
  credential text not null references entries,
  hmac text not null,
  at timestamp(3) with time zone not null,
  primary key (version, hmac)
);

create index fingerprints_by_hmac on fingerprints (hmac);

create trigger only_added before update or delete or truncate on fingerprints
  for each statement execute function refuse_rewriting();
