-- The map: what there is, who uses what, and how each of it is known. Nothing is deleted; what disappears has an end, and
-- what comes back goes on under its id.

create table graph_nodes (
  -- The id of the estate's entry for what is declared there; else made of type and key.
  id text primary key,
  type text not null check (type in ('credential', 'consumer', 'identity', 'location', 'system', 'owner')),
  name text not null,
  class text,
  -- The longest normal gap between two uses, in milliseconds.
  cadence_ms bigint,
  first_seen timestamp(3) with time zone not null,
  last_seen timestamp(3) with time zone not null,
  ended_at timestamp(3) with time zone
);

create index graph_nodes_name on graph_nodes (name);

create table graph_edges (
  from_id text not null,
  type text not null check (type in ('uses', 'stored-in', 'issued-by', 'owned-by', 'depends-on', 'can-read', 'mints')),
  to_id text not null,
  first_seen timestamp(3) with time zone not null,
  last_seen timestamp(3) with time zone not null,
  ended_at timestamp(3) with time zone,
  primary key (from_id, type, to_id)
);

create index graph_edges_to on graph_edges (to_id, type);

create table graph_evidence (
  from_id text not null,
  type text not null,
  to_id text not null,
  source text not null,
  kind text not null check (kind in ('declared', 'read', 'session', 'potential')),
  -- The record of the source that says so, such as the estate's entry: with it the evidence ends.
  record text not null,
  count bigint not null,
  sentence text not null,
  first_seen timestamp(3) with time zone not null,
  last_seen timestamp(3) with time zone not null,
  ended_at timestamp(3) with time zone,
  primary key (from_id, type, to_id, source, kind, record),
  foreign key (from_id, type, to_id) references graph_edges
);

create index graph_evidence_record on graph_evidence (source, record) where ended_at is null;
