-- A copy that was mended and is there again, with the day on which that was learnt.

insert into marks (mark, thing, source, record, literal, sentence, scan, first_seen, last_seen, ended_at, past, verified, learnt_at) values
  ('abababababababababababababababababababababababababababababababab', 'thg_04d7d5ed7c00795659f0c729', 'src_sessions', 'again', true, 'It stands there again.', 'scn_2', '2026-02-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null, false, false, '2026-03-01T09:00:00.123Z');
insert into past_spans (of, key, first_seen, learnt_at, ended_at) values
  ('copy', '{abababababababababababababababababababababababababababababababab,thg_04d7d5ed7c00795659f0c729,src_sessions,again}', '2026-02-01T09:00:00.123Z', '2026-02-01T10:00:00.000Z', '2026-02-20T09:00:00.000Z');
