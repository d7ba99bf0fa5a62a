-- A version that was read, and what stood there under that number.

insert into version_reads (thing, reader, source, version, first_seen, last_seen) values
  ('thg_23c28a6af7abdd498cb19d24', 'thg_23c28a6af7abdd498cb19d24', 'src_sessions', '3', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z');
insert into store_versions (credential, place, store_version, version, seen_at) values
  ('crd_ordersdb', 'loc_0d1e5a2c3b4f5a6978877665', '3', null, '2026-03-01T09:00:00.123Z');
