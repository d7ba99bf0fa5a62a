-- Findings: open, excepted until a day, ended; and when they were looked for.

insert into findings (key, code, severity, state, subject, subject_type, subject_name, about, about_type, about_name, credential, sentence, owners, places, exception_owner, exception_reason, exception_until, first_seen, last_seen, since) values
  ('unmapped-reader crd_ordersdb idn_3994f783a871987d2dbf15d0', 'unmapped-reader', 'refuse', 'open', 'crd_ordersdb', 'credential', 'orders-db', 'idn_3994f783a871987d2dbf15d0', 'identity', 'psql from 10.0.0.9', 'crd_ordersdb', 'psql from 10.0.0.9 uses it and is no declared consumer of it. It is connected. Last seen 2026-03-01 09:00 UTC by sessions.', '["payments"]', '[]', null, null, null, '2026-03-02T09:00:00.123Z', '2026-03-02T09:00:00.123Z', '2026-03-02T09:00:00.123Z'),
  ('literal loc_04d7d5ed7c00795659f0c729', 'literal', 'warn', 'open', 'loc_04d7d5ed7c00795659f0c729', 'location', 'repository shop a.env', null, null, null, null, 'It stands there.', '[]', '[]', null, null, null, '2026-03-02T09:00:00.123Z', '2026-03-02T09:00:00.123Z', '2026-03-02T09:00:00.123Z'),
  ('short-watch src_sessions', 'short-watch', 'warn', 'excepted', 'src_sessions', 'source', 'sessions', null, null, null, null, 'The source sessions has watched since 2026-03-01 09:00 UTC; whoever uses it more rarely may not have been seen. The policy asks for 35d.', '["payments"]', '[]', 'payments', 'It is new.', '2026-04-01T00:00:00.000Z', '2026-03-02T09:00:00.123Z', '2026-03-02T09:00:00.123Z', '2026-03-02T09:00:00.123Z'),
  ('no-purpose con_mailer', 'no-purpose', 'info', 'ended', 'con_mailer', 'consumer', 'mailer', null, null, null, null, 'Nobody has said what mailer does.', '["payments"]', '[]', null, null, null, '2026-03-02T09:00:00.123Z', '2026-03-02T09:00:00.123Z', '2026-03-02T09:00:00.123Z');

insert into finding_changes (finding, at, state, exception_owner, exception_reason, exception_until)
  select number, since, state, exception_owner, exception_reason, exception_until from findings;

insert into finding_looks (at, began) values
  ('2026-03-02T09:00:00.123Z', '2026-03-02T09:00:00.123456Z');
