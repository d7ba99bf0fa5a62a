-- A use by whom nobody says, of the account that is the credential's.

insert into anonymous_uses (thing, source, record, sentence, first_seen, last_seen) values
  ('thg_23c28a6af7abdd498cb19d24', 'src_sessions', 'report', 'It was used.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z');
