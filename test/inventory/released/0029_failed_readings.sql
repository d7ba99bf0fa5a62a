-- A reading that broke off, with when.

insert into scans (id, source, shows, settings, started_at, failure, failed_at, records, claims, copies, malformed, malformed_first, gaps) values
  ('scn_27', 'src_away', 'now', '', '2026-03-01T09:00:00.000Z', 'away-db cannot be reached.', '2026-03-01T09:00:30.000Z', 0, 0, 0, 0, '[]', '[]');
