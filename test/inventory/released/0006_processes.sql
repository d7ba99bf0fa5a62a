-- A worker that was seen.

insert into processes (id, role, name, opens, seals, seen_at) values
  ('prc_1', 'worker', 'host-1 42', '{key-1,key-2}', 'key-2', '2026-03-01T09:00:00.000Z');
