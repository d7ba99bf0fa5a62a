-- A reading of a source that reads the logs of two nodes, of which one has had no record.

insert into scans (id, source, shows, settings, round, started_at, ended_at, records, claims, copies, malformed, malformed_first, gaps, covered_from, covered_until, reaches) values
  ('scn_36', 'src_nodes', 'log', '', 'scn_36', '2026-03-01T09:00:00.000Z', '2026-03-01T09:00:30.000Z', 1, 0, 0, 0, '[]', '[]', '2026-03-01T08:00:00.000Z', '2026-03-01T08:00:00.000Z', '[{"log":"/logs/a/audit*","until":1772352000000},{"log":"/logs/b/audit*","until":null}]');
