-- Keyed hashes of values that were live when a rotation looked, whoever had made them: one that was replaced by hand, or that a
-- rotation has not got to yet, is known in copies for as long as nobody has proved that it is refused.

create table live_values (
  credential text not null references entries,
  hmac text not null,
  first_seen timestamp(3) with time zone not null,
  last_seen timestamp(3) with time zone not null,
  primary key (credential, hmac)
);

create index live_values_by_hmac on live_values (hmac);
