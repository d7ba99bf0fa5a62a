-- A decision that was used and one that was not, a notice that went out and one that did not, an incident, a value's hash.

insert into decisions (jti, rotation, credential, digest, person, says, consumer, owners, jws, issued_at, expires_at, received_at, burned_at, burned_by_rotation, burned_by_change) values
  ('dec_1', 'rot_past', 'crd_billingdb', 'plan-1', 'ann', 'approve', null, '{payments}', 'header.dec_1.signature', '2026-02-02T09:01:00.000Z', '2026-02-16T09:01:00.000Z', '2026-02-02T09:02:00.000Z', '2026-02-02T09:10:00.000Z', 'rot_past', 1),
  ('dec_2', 'rot_open', 'crd_ordersdb', 'plan-1', 'ann', 'approve', null, '{payments}', 'header.dec_2.signature', '2026-03-01T09:01:00.000Z', '2026-03-15T09:01:00.000Z', '2026-03-01T09:02:00.000Z', null, null, null);

insert into notices (id, rotation, kind, recipients, at, sent_at) values
  ('ntc_1', 'rot_past', 'approval-asked', '{payments}', '2026-02-02T09:00:30.000Z', '2026-02-02T09:00:31.000Z'),
  ('ntc_2', 'rot_open', 'approval-asked', '{payments}', '2026-03-01T09:00:30.000Z', null);

insert into incidents (id, credential, rotation, reason, reported_by, at, matched, sign_off_by) values
  ('inc_1', 'crd_billingdb', 'rot_past', 'It stood in a log.', 'bob', '2026-02-02T08:30:00.000Z', '{ver_origin}', '2026-02-03T08:30:00.000Z');

insert into fingerprints (version, credential, hmac, at) values
  ('ver_origin', 'crd_billingdb', 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '2026-01-01T09:00:00.000Z');
