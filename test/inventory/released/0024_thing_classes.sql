-- What a source took the account for.

insert into thing_classes (thing, source, class, last_seen) values
  ('thg_23c28a6af7abdd498cb19d24', 'src_sessions', 'service-account', '2026-03-01T09:00:00.123Z');
