-- When it was learnt: a record of three weeks ago that was read today was so for three weeks, and is known since today.
-- Null: of an earlier release, which is taken to have learnt of it when it was first so.
alter table graph_nodes add column learnt_at timestamp(3) with time zone;
alter table graph_edges add column learnt_at timestamp(3) with time zone;
alter table graph_evidence add column learnt_at timestamp(3) with time zone;
