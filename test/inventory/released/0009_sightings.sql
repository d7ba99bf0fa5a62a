-- Since when a consumer works on the target, and that the old version was used in between.

insert into sightings (rotation, what, subject, epoch, target, since, longest_ms) values
  ('rot_open', 'working', 'con_checkout', 1, 'ver_rot_open', '2026-03-01T09:20:00.000Z', 0),
  ('rot_open', 'unused', 'ver_first', 1, '', null, 90000);
