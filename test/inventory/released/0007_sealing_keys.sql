-- Two keys, of which one is no longer sealed with.

insert into sealing_keys (id, used_at) values
  ('key-1', '2026-02-01T09:00:00.000Z'),
  ('key-2', '2026-03-01T09:00:00.000Z');
