-- The newest checkpoint of the audit log that an installation signed, beside its records: a log in a database of its own
-- that was cut, checkpoints and all, is recognised also by a process that has no anchor of its own yet.

alter table installation
  add column audit_size bigint check (audit_size >= 0),
  -- The signed note, as it was signed.
  add column audit_checkpoint text,
  add constraint audit_checkpoint_whole check ((audit_size is null) = (audit_checkpoint is null));
