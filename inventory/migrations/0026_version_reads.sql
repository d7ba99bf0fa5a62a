-- Which version of a place each reader was seen to read, by the store's own names; and what stood there under which of them. The
-- latter is kept by credential and place and not by rotation, so that the next one knows which numbers are whose.

create table version_reads (
  thing text not null references things (id),
  reader text not null references things (id),
  source text not null,
  version text not null,
  first_seen timestamp(3) with time zone not null,
  last_seen timestamp(3) with time zone not null,
  primary key (thing, reader, source, version)
);

create index version_reads_by_age on version_reads (source, last_seen);

create table store_versions (
  credential text not null,
  place text not null,
  store_version text not null,
  version text,
  seen_at timestamp(3) with time zone not null,
  primary key (credential, place, store_version)
);
