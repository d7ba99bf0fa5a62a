-- A value that was found to work, and what somebody has written down of the account.

insert into marks (mark, thing, source, record, literal, sentence, scan, first_seen, last_seen, ended_at, past, verified) values
  ('cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', 'thg_04d7d5ed7c00795659f0c729', 'src_sessions', 'report', true, 'It works.', 'scn_2', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null, true, true);
insert into thing_words (thing, source, purpose, expires_at, last_seen, scan, ended_at) values
  ('thg_23c28a6af7abdd498cb19d24', 'src_sessions', 'Orders are written with it.', '2027-03-01T00:00:00.000Z', '2026-03-01T09:00:00.123Z', 'scn_2', null);
