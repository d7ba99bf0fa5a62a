-- A log that was read, in which somebody was seen at noon on a Sunday, and a value that a log has had.

insert into scans (id, source, started_at, ended_at, failure, cursor_before, cursor_after, records, claims, copies, malformed, malformed_first, gaps, covered_from, covered_until, shows, settings) values
  ('scn_2', 'src_sessions', '2026-03-01T12:00:00.000Z', '2026-03-01T12:01:00.000Z', null, 'cur_1', 'cur_2', 1000, 1, 1, 0, '[]', '[]', '2026-02-01T00:00:00.000Z', '2026-03-01T12:00:00.000Z', 'log', '74fdf4e2f2c08e6fb6ea8ef828173fd1ba2e52e0b52aa97667983a3f892eeb8c');

insert into graph_evidence (from_id, type, to_id, source, kind, record, count, sentence, first_seen, last_seen, ended_at, seen_from, seen_to, scan, times) values
  ('idn_3994f783a871987d2dbf15d0', 'uses', 'crd_ordersdb', 'src_sessions', 'read', 'log', 12, 'It read.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null, 'thg_3994f783a871987d2dbf15d0', 'thg_23c28a6af7abdd498cb19d24', 'scn_2', 16781312);

insert into marks (mark, thing, source, record, literal, sentence, scan, first_seen, last_seen, ended_at, past) values
  ('efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef', 'thg_04d7d5ed7c00795659f0c729', 'src_sessions', 'log', true, 'It stands there.', 'scn_2', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null, true);
