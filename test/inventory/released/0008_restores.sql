-- Records that were restored and accepted, and a change that was lost by it.

update installation set generation_number = 2, mark = 17;

insert into restores (id, noticed_at, evidence, lifted_at, lifted_by, document) values
  ('res_1', '2026-02-10T09:00:00.000Z', '["A tag knows rot_lost at epoch 3."]', '2026-02-10T10:00:00.000Z', 'ann', 'header.res_1.signature');

insert into lost_changes (rotation, epoch, change, restore) values
  ('rot_lost', 3, 4, 'res_1');
