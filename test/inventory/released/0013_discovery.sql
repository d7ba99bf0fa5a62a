-- A source in the estate, a reading of it that failed and one that did not, whom it saw, and a value that lies about.

insert into estate_revisions (number, digest, document, applied_at, applied_by) values
  (3, 'd3', '{"version":1,"installation":"test","owners":{"ann":{"kind":"person","email":"ann@example.com","keys":[],"delegates":[]},"bob":{"kind":"person","email":"bob@example.com","keys":[],"delegates":[]},"payments":{"kind":"team","members":["ann","bob"]}},"stores":{"secrets":{"kind":"fake"}},"issuers":{"main-db":{"kind":"fake"}},"notifiers":{},"policies":{"standard":{"intervalMs":2592000000,"freezes":[],"approval":{"quorum":1,"from":"owner","deadlineMs":259200000,"reminderMs":86400000,"validForMs":1209600000},"quietPeriodMs":3600000,"adoptionSoakMs":0,"disableSoakMs":3600000,"adoptionTimeoutMs":3600000,"drainTimeoutMs":86400000,"observationMaxAgeMs":60000,"stallTimeoutMs":3600000,"retryDelayMs":1000,"unmappedReaders":"refuse","containment":"after-adoption","containmentDeadlineMs":3600000,"signOffDeadlineMs":86400000,"overlapMaxMs":604800000,"cooldownMs":86400000,"responders":[]}},"consumers":{"checkout":{"owner":"payments","observe":[{"kind":"fake"}],"match":{"applicationName":[],"address":[]},"reversible":true,"canary":false},"reports":{"owner":"payments","observe":[{"kind":"fake"}],"match":{"applicationName":[],"address":[]},"reversible":true,"canary":false}},"credentials":{"orders-db":{"issuer":"main-db","account":{"login":"orders"},"store":"secrets","place":{"path":"orders"},"owner":"payments","policy":"standard","class":"service-account","purpose":"Orders are read and written with it.","consumers":[{"consumer":"checkout","isolation":"shared"},{"consumer":"reports","isolation":"shared"}]},"billing-db":{"issuer":"main-db","account":{"login":"billing"},"store":"secrets","place":{"path":"billing"},"owner":"payments","policy":"standard","class":"service-account","purpose":"Orders are read and written with it.","consumers":[{"consumer":"checkout","isolation":"shared"},{"consumer":"reports","isolation":"shared"}]}},"sources":{"sessions":{"kind":"fake","owner":"payments","issuer":"main-db"}}}', '2026-03-01T09:00:00.123Z', 'ann');

insert into entries (id, section, name, body, since, changed_at, ended_at) values
  ('src_sessions', 'sources', 'sessions', '{"kind":"fake","owner":"payments","issuer":"main-db"}', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null);

insert into things (id, body, node, known, sentence, first_seen, last_seen) values
  ('thg_04d7d5ed7c00795659f0c729', '{"is":"location","path":"a.env","scope":"repository shop"}', 'loc_04d7d5ed7c00795659f0c729', true, 'It stands in repository shop.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z'),
  ('thg_23c28a6af7abdd498cb19d24', '{"is":"account","issuer":"main-db","account":"orders"}', 'crd_ordersdb', true, 'The estate declares the account orders at main-db.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z'),
  ('thg_3994f783a871987d2dbf15d0', '{"is":"reader","name":"psql from 10.0.0.9","traits":{"address":"10.0.0.9"}}', 'idn_3994f783a871987d2dbf15d0', false, 'No consumer claims address 10.0.0.9.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z');

insert into graph_nodes (id, type, name, class, cadence_ms, first_seen, last_seen, ended_at) values
  ('idn_3994f783a871987d2dbf15d0', 'identity', 'psql from 10.0.0.9', null, null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null),
  ('loc_04d7d5ed7c00795659f0c729', 'location', 'repository shop a.env', null, null, '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null);

insert into graph_edges (from_id, type, to_id, first_seen, last_seen, ended_at) values
  ('idn_3994f783a871987d2dbf15d0', 'uses', 'crd_ordersdb', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null);

insert into graph_evidence (from_id, type, to_id, source, kind, record, count, sentence, first_seen, last_seen, ended_at, seen_from, seen_to, scan) values
  ('idn_3994f783a871987d2dbf15d0', 'uses', 'crd_ordersdb', 'src_sessions', 'session', 'sessions', 1, 'It is connected.', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null, 'thg_3994f783a871987d2dbf15d0', 'thg_23c28a6af7abdd498cb19d24', 'scn_1');

insert into scans (id, source, started_at, ended_at, failure, cursor_before, cursor_after, records, claims, copies, malformed, malformed_first, gaps, covered_from, covered_until) values
  ('scn_0', 'src_sessions', '2026-03-01T08:00:00.000Z', null, 'main-db cannot be reached.', null, null, 1, 0, 0, 1, '[{"where":"row 1","why":"it is no row"}]', '["Something was not seen."]', null, null),
  ('scn_1', 'src_sessions', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null, null, 'cur_1', 1, 1, 1, 0, '[]', '[]', null, null);

insert into marks (mark, thing, source, record, literal, sentence, scan, first_seen, last_seen, ended_at) values
  ('abababababababababababababababababababababababababababababababab', 'thg_04d7d5ed7c00795659f0c729', 'src_sessions', 'r', true, 'It stands there.', 'scn_1', '2026-03-01T09:00:00.123Z', '2026-03-01T09:00:00.123Z', null);
