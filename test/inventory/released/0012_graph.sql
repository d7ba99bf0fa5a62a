-- What the estate says, as a map, and an edge that has ended.

insert into graph_nodes (id, type, name, class, cadence_ms, first_seen, last_seen, ended_at) values
  ('con_reports', 'consumer', 'reports', null, null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_checkout', 'consumer', 'checkout', null, null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_billingdb', 'credential', 'billing-db', 'service-account', null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('loc_964f3cf9d86323fbb8d853fb', 'location', 'secrets billing', null, null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('loc_b0ff0a34e224bbd2232cda56', 'location', 'secrets orders', null, null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('iss_maindb', 'system', 'main-db', null, null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('own_payments', 'owner', 'payments', null, null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('own_ann', 'owner', 'ann', null, null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('own_bob', 'owner', 'bob', null, null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('sto_secrets', 'system', 'secrets', null, null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_ordersdb', 'credential', 'orders-db', 'service-account', null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_mailer', 'consumer', 'mailer', null, 86400000, '2026-02-01T09:00:00.000Z', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z');

insert into graph_edges (from_id, type, to_id, first_seen, last_seen, ended_at) values
  ('con_reports', 'uses', 'crd_ordersdb', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_checkout', 'uses', 'crd_billingdb', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('loc_b0ff0a34e224bbd2232cda56', 'stored-in', 'sto_secrets', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_ordersdb', 'owned-by', 'own_payments', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_ordersdb', 'issued-by', 'iss_maindb', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_billingdb', 'stored-in', 'loc_964f3cf9d86323fbb8d853fb', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_checkout', 'owned-by', 'own_payments', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_reports', 'uses', 'crd_billingdb', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_billingdb', 'owned-by', 'own_payments', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_ordersdb', 'stored-in', 'loc_b0ff0a34e224bbd2232cda56', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('loc_964f3cf9d86323fbb8d853fb', 'stored-in', 'sto_secrets', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_billingdb', 'issued-by', 'iss_maindb', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_reports', 'owned-by', 'own_payments', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_checkout', 'uses', 'crd_ordersdb', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_mailer', 'uses', 'crd_ordersdb', '2026-02-01T09:00:00.000Z', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z');

insert into graph_evidence (from_id, type, to_id, source, kind, record, count, sentence, first_seen, last_seen, ended_at) values
  ('con_reports', 'owned-by', 'own_payments', 'estate', 'declared', 'con_reports', 1, 'payments answers for it.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_checkout', 'owned-by', 'own_payments', 'estate', 'declared', 'con_checkout', 1, 'payments answers for it.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_billingdb', 'issued-by', 'iss_maindb', 'estate', 'declared', 'crd_billingdb', 1, 'Its account is at main-db.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_billingdb', 'owned-by', 'own_payments', 'estate', 'declared', 'crd_billingdb', 1, 'payments answers for it.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_billingdb', 'stored-in', 'loc_964f3cf9d86323fbb8d853fb', 'estate', 'declared', 'crd_billingdb', 1, 'The estate keeps it there.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('loc_964f3cf9d86323fbb8d853fb', 'stored-in', 'sto_secrets', 'estate', 'declared', 'crd_billingdb', 1, 'It is a place in secrets.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_checkout', 'uses', 'crd_billingdb', 'estate', 'declared', 'crd_billingdb', 1, 'checkout reads it with others.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_reports', 'uses', 'crd_billingdb', 'estate', 'declared', 'crd_billingdb', 1, 'reports reads it with others.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_ordersdb', 'issued-by', 'iss_maindb', 'estate', 'declared', 'crd_ordersdb', 1, 'Its account is at main-db.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_ordersdb', 'owned-by', 'own_payments', 'estate', 'declared', 'crd_ordersdb', 1, 'payments answers for it.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('crd_ordersdb', 'stored-in', 'loc_b0ff0a34e224bbd2232cda56', 'estate', 'declared', 'crd_ordersdb', 1, 'The estate keeps it there.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('loc_b0ff0a34e224bbd2232cda56', 'stored-in', 'sto_secrets', 'estate', 'declared', 'crd_ordersdb', 1, 'It is a place in secrets.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_checkout', 'uses', 'crd_ordersdb', 'estate', 'declared', 'crd_ordersdb', 1, 'checkout reads it with others.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_reports', 'uses', 'crd_ordersdb', 'estate', 'declared', 'crd_ordersdb', 1, 'reports reads it with others.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('con_mailer', 'uses', 'crd_ordersdb', 'estate', 'declared', 'crd_ordersdb', 1, 'mailer reads it with others.', '2026-02-01T09:00:00.000Z', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z');
