-- When a run asked to hold its rotation, on Temporal's clock. Runs of one workflow follow each other, so what was asked
-- before a later run of it asked comes from one that is over, and opens or takes over nothing (H8).

alter table rotation_runs add column asked_at timestamp(3) with time zone;

create index rotation_runs_asked on rotation_runs (workflow_id, asked_at);
