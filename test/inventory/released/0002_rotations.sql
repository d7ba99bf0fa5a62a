-- A rotation that is open in the middle of a change, and one that is over: locks, epochs, runs, leases, versions.

insert into rotations (id, credential, workflow_id, run_id, nonce, epoch, mode, initial, requested_by, reason, gate, standing, opened_at, closed_at, outcome, closing_reason) values
  ('rot_past', 'crd_billingdb', 'rotate/crd_billingdb', 'run_0', 'non_0', 1, 'ordinary', '{"id":"rot_past","credential":"crd_billingdb","installation":"ins_test","nonce":"non_0","epoch":1,"startedAt":1772355600123,"policy":{"intervalMs":2592000000,"freezes":[],"approval":{"quorum":1,"from":"owner","deadlineMs":259200000,"reminderMs":86400000,"validForMs":1209600000},"quietPeriodMs":3600000,"adoptionSoakMs":0,"disableSoakMs":3600000,"adoptionTimeoutMs":3600000,"drainTimeoutMs":86400000,"observationMaxAgeMs":60000,"stallTimeoutMs":3600000,"retryDelayMs":1000,"unmappedReaders":"refuse","containment":"after-adoption","containmentDeadlineMs":3600000,"signOffDeadlineMs":86400000,"overlapMaxMs":604800000,"cooldownMs":86400000,"responders":[]},"traits":{"overlap":"two-accounts","sessionsTellVersions":true,"capacity":2,"valueBy":"engine","disableReversible":true,"derives":[],"propagationMs":0},"emergency":null,"origin":"ver_origin","target":"ver_rot_past","acceptable":["ver_origin","ver_rot_past"],"versions":{"ver_rot_past":{"id":"ver_rot_past","slot":"b","life":"planned","issuer":"absent","leaked":false,"proved":false,"delivered":false,"disabledAt":null,"refused":false},"ver_origin":{"id":"ver_origin","slot":"a","life":"active","issuer":"enabled","leaked":false,"proved":false,"delivered":true,"disabledAt":null,"refused":false}},"freeSlots":[],"spareIds":[],"tags":{"a":"","b":""},"places":{"main":{"tag":"","liveVersion":"ver_origin","told":null,"toldTo":[],"toldAt":null,"unknown":false}},"change":0,"changedAt":1772355600123,"plan":null,"amendments":[],"surveyedAt":null,"findings":[],"notBefore":null,"consumers":{},"uses":{},"decisions":[],"asked":[],"askedAt":null,"remindedAt":null,"seized":false,"turned":null,"irreversible":false,"trouble":null,"operator":null,"resumedAt":null,"refused":null,"objections":[],"closed":null}', 'ann', 'It is time.', null, null, '2026-02-02T09:00:00.000Z', '2026-02-02T12:00:00.000Z', 'rotated', 'every gate was satisfied'),
  ('rot_open', 'crd_ordersdb', 'rotate/crd_ordersdb', 'run_1', 'non_1', 1, 'ordinary', '{"id":"rot_open","credential":"crd_ordersdb","installation":"ins_test","nonce":"non_1","epoch":1,"startedAt":1772355600123,"policy":{"intervalMs":2592000000,"freezes":[],"approval":{"quorum":1,"from":"owner","deadlineMs":259200000,"reminderMs":86400000,"validForMs":1209600000},"quietPeriodMs":3600000,"adoptionSoakMs":0,"disableSoakMs":3600000,"adoptionTimeoutMs":3600000,"drainTimeoutMs":86400000,"observationMaxAgeMs":60000,"stallTimeoutMs":3600000,"retryDelayMs":1000,"unmappedReaders":"refuse","containment":"after-adoption","containmentDeadlineMs":3600000,"signOffDeadlineMs":86400000,"overlapMaxMs":604800000,"cooldownMs":86400000,"responders":[]},"traits":{"overlap":"two-accounts","sessionsTellVersions":true,"capacity":2,"valueBy":"engine","disableReversible":true,"derives":[],"propagationMs":0},"emergency":null,"origin":"ver_first","target":"ver_rot_open","acceptable":["ver_first","ver_rot_open"],"versions":{"ver_rot_open":{"id":"ver_rot_open","slot":"b","life":"planned","issuer":"absent","leaked":false,"proved":false,"delivered":false,"disabledAt":null,"refused":false},"ver_first":{"id":"ver_first","slot":"a","life":"active","issuer":"enabled","leaked":false,"proved":false,"delivered":true,"disabledAt":null,"refused":false}},"freeSlots":[],"spareIds":[],"tags":{"a":"","b":""},"places":{"main":{"tag":"","liveVersion":"ver_first","told":null,"toldTo":[],"toldAt":null,"unknown":false}},"change":0,"changedAt":1772355600123,"plan":null,"amendments":[],"surveyedAt":null,"findings":[],"notBefore":null,"consumers":{},"uses":{},"decisions":[],"asked":[],"askedAt":null,"remindedAt":null,"seized":false,"turned":null,"irreversible":false,"trouble":null,"operator":null,"resumedAt":null,"refused":null,"objections":[],"closed":null}', 'ann', 'It is time.', 'issue', 'It makes the new version.', '2026-03-01T09:00:00.123Z', null, null, null);

insert into rotation_epochs (rotation, epoch, workflow_id, nonce, taken_at, event_seq, open_change) values
  ('rot_past', 1, 'rotate/crd_billingdb', 'non_0', '2026-02-02T09:00:00.000Z', null, null),
  ('rot_open', 1, 'rotate/crd_ordersdb', 'non_1', '2026-03-01T09:00:00.123Z', null, null);

insert into rotation_runs (workflow_id, run_id, rotation, epoch, since, continued_from) values
  ('rotate/crd_billingdb', 'run_0', 'rot_past', 1, '2026-02-02T09:00:00.000Z', null),
  ('rotate/crd_ordersdb', 'run_1', 'rot_open', 1, '2026-03-01T09:00:00.123Z', null);

insert into locks (key, rotation, epoch) values
  ('account:crd_ordersdb', 'rot_open', 1),
  ('credential:crd_ordersdb', 'rot_open', 1),
  ('place:crd_ordersdb', 'rot_open', 1),
  ('account:crd_billingdb', null, 1);

insert into rotation_events (rotation, seq, epoch, at, key, event) values
  ('rot_past', 1, 1, '2026-02-02T12:00:00.000Z', 'closed', '{"type":"closed","at":1770033600000,"outcome":"rotated","reason":"every gate was satisfied"}');

insert into intents (rotation, change, epoch, step, expects, at, outcome, outcome_at, event_seq) values
  ('rot_past', 1, 1, '{"do":"issue","version":"ver_rot_past","slot":"b"}', '{}', '2026-02-02T09:10:00.000Z', 'done', '2026-02-02T09:10:01.000Z', null),
  ('rot_open', 1, 1, '{"do":"issue","version":"ver_rot_open","slot":"b"}', '{}', '2026-03-01T09:00:00.128Z', null, null, null);

insert into leases (consumer, rotation, since) values
  ('con_checkout', 'rot_open', '2026-03-01T09:05:00.000Z');

insert into versions (id, credential, slot, life, rotation, created_at, ended_at) values
  ('ver_first', 'crd_ordersdb', 'a', 'active', null, '2026-03-01T09:00:00.123Z', null),
  ('ver_origin', 'crd_billingdb', 'a', 'destroyed', null, '2026-01-01T09:00:00.000Z', '2026-02-02T12:00:00.000Z'),
  ('ver_rot_past', 'crd_billingdb', 'b', 'active', 'rot_past', '2026-02-02T09:10:00.000Z', null);
