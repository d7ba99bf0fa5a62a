-- What another source takes the account for, since when.

insert into thing_classes (thing, source, class, first_seen, last_seen) values
  ('thg_23c28a6af7abdd498cb19d24', 'src_table', 'api-key', '2026-02-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z');
