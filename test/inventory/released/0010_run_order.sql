-- A run that told when it asked.

insert into rotation_runs (workflow_id, run_id, rotation, epoch, since, continued_from, asked_at) values
  ('rotate/crd_ordersdb', 'run_2', 'rot_open', 1, '2026-03-01T09:30:00.000Z', 'run_1', '2026-03-01T09:29:59.000Z');
