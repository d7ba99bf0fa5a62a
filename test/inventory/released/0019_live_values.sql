-- A value that was live when a rotation looked.

insert into live_values (credential, hmac, first_seen, last_seen) values
  ('crd_ordersdb', 'abababababababababababababababababababababababababababababababab', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z');
