-- Since when something holds without a break, as far as looks have seen it: that nobody uses a version, that every
-- instance of a consumer works on the target. The times that have to pass are counted from here, and not from what a
-- workflow carries (H7).

create table sightings (
  rotation text not null references rotations,
  what text not null check (what in ('unused', 'working')),
  -- The version that is unused, the consumer that works.
  subject text not null,
  -- Of another epoch it is what somebody saw before a takeover, and counts for nothing.
  epoch bigint not null,
  -- The version that the consumer works on; empty for a version that is unused.
  target text not null,
  -- Empty while it does not hold.
  since timestamp(3) with time zone,
  -- The longest time for which it held and then ended, in milliseconds (H22).
  longest_ms bigint not null default 0,
  primary key (rotation, what, subject)
);
