-- An adoption that is over with a step of it, and one that waits for people.

insert into adoptions (id, credential, direction, under, plan, digest, requested_by, reason, opened_at, asked_at, begun_at, closed_at, outcome, closing_reason) values
  ('ado_1', 'crd_billingdb', 'adopt', null, '{"form":"rekey-adoption/1","installation":"ins_test","adoption":"ado_1","nonce":"non_a","credential":"crd_billingdb","identity":"main-db","account":{"login":"billing"},"direction":"adopt","steps":[],"doesNot":[],"approval":{"quorum":1,"approvers":["payments"],"deadlineMs":259200000}}', 'a1', 'ann', 'It gets a pair.', '2026-01-20T09:00:00.000Z', '2026-01-20T09:00:00.000Z', '2026-01-20T10:00:00.000Z', '2026-01-20T11:00:00.000Z', 'adopted', 'every step is done'),
  ('ado_2', 'crd_billingdb', 'undo', 'ado_1', '{"form":"rekey-adoption/1","installation":"ins_test","adoption":"ado_2","nonce":"non_a","credential":"crd_billingdb","identity":"main-db","account":{"login":"billing"},"direction":"undo","steps":[],"doesNot":[],"approval":{"quorum":1,"approvers":["payments"],"deadlineMs":259200000}}', 'a2', 'bob', 'It goes back.', '2026-03-01T10:00:00.000Z', '2026-03-01T10:00:00.000Z', null, null, null, null);

insert into adoption_steps (adoption, number, epoch, step, way, at, outcome, outcome_at) values
  ('ado_1', 1, 1, 'create-group', 'run', '2026-01-20T10:00:00.000Z', 'done', '2026-01-20T10:00:01.000Z');
