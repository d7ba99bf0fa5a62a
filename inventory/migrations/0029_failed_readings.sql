-- When a reading broke off: `failure` says why, and of a reading that an earlier release kept only when it began is known.
alter table scans add column failed_at timestamp(3) with time zone;
