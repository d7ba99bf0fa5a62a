-- A finding that a source shows, and what another one says of an account, since when.

insert into findings (key, code, severity, state, subject, subject_type, subject_name, about, about_type, about_name, credential, sentence, owners, places, sources, first_seen, last_seen, since) values
  ('overdue loc_of_an_endpoint', 'overdue', 'warn', 'open', 'loc_of_an_endpoint', 'location', 'shop.example.com:443', null, null, null, null, 'What shop.example.com:443 serves or keeps ran out on 2026-02-28 09:00 UTC.', '["payments"]', '[]', '["src_sessions"]', '2026-03-02T09:00:00.123Z', '2026-03-02T09:00:00.123Z', '2026-03-02T09:00:00.123Z');
insert into finding_changes (finding, at, state)
  select number, since, state from findings where code = 'overdue';
insert into thing_words (thing, source, purpose, expires_at, first_seen, last_seen, scan, ended_at) values
  ('thg_23c28a6af7abdd498cb19d24', 'src_table', 'Orders are read with it.', null, '2026-02-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', 'scn_2', '2026-03-01T10:00:00.123Z');
