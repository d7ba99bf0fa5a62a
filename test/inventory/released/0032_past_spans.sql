-- A user that had ended and has come back since.

insert into past_spans (of, key, first_seen, learnt_at, ended_at) values
  ('node', '{idn_away}', '2026-02-01T09:00:00.000Z', '2026-02-01T10:00:00.000Z', '2026-02-20T09:00:00.000Z'),
  ('edge', '{idn_away,uses,crd_ordersdb}', '2026-02-01T09:00:00.000Z', null, '2026-02-20T09:00:00.000Z');
