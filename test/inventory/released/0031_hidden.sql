-- A reading with a file that could not be read, and what another one says of something.

insert into scans (id, source, shows, settings, started_at, ended_at, records, claims, copies, malformed, malformed_first, gaps, hidden) values
  ('scn_32', 'src_files', 'now', '', '2026-03-01T09:00:00.000Z', '2026-03-01T09:00:30.000Z', 1, 0, 0, 1, '[{"where":"a.env:1","why":"no setting"}]', '["a.env is not complete."]', '[{"record":"a.env","why":"a.env is not complete."}]');
insert into thing_words (thing, source, purpose, expires_at, last_seen, scan, record, ended_at) values
  ('thg_23c28a6af7abdd498cb19d24', 'src_files', 'Orders are written with it.', null, '2026-03-01T09:00:00.123Z', 'scn_32', 'b.env', null);
