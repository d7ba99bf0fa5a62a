-- A revision that is told by what it changed, and an entry that comes from a file of a folder.

insert into estate_revisions (number, digest, document, header, changes, applied_at, applied_by) values
  (4, 'd4', null, '{"version":1,"installation":"test"}', '{"empty":false,"sections":{"owners":{"created":["ann","bob","payments"],"changed":[],"ended":[]},"stores":{"created":["secrets"],"changed":[],"ended":[]},"issuers":{"created":["main-db"],"changed":[],"ended":[]},"notifiers":{"created":[],"changed":[],"ended":[]},"sources":{"created":["sessions"],"changed":[],"ended":[]},"policies":{"created":["standard"],"changed":[],"ended":[]},"consumers":{"created":["checkout","reports"],"changed":[],"ended":[]},"credentials":{"created":["billing-db","orders-db"],"changed":[],"ended":[]}}}', '2026-03-01T09:30:00.000Z', 'ann');

insert into past_bodies (entry, until_revision, body) values
  ('con_reports', 4, '{"owner":"payments","observe":[{"kind":"fake"}],"match":{"applicationName":[],"address":[]},"reversible":true,"canary":false}');

update entries set digest = 'YwqfoMfDONKYTZ_5Z1xzNJT3QPcvXpE3eINxU2EOKaw', piece = 'of-the-piece', claims = '{secrets orders}' where id = 'crd_ordersdb';
