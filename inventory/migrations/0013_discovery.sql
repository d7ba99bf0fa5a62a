-- What sources say: the things that they speak of, how far each was read, and where one value lies in several places.

alter table entries drop constraint entries_section_check;
alter table entries add constraint entries_section_check check (
  section in ('owners', 'stores', 'issuers', 'notifiers', 'sources', 'policies', 'consumers', 'credentials')
);

-- A thing in a source's own words, and the node of the map that it is taken for; told anew when the estate changes.
create table things (
  id text primary key,
  body jsonb not null,
  node text not null,
  -- Whether the estate declares that node.
  known boolean not null,
  sentence text not null,
  first_seen timestamp(3) with time zone not null,
  last_seen timestamp(3) with time zone not null
);

create index things_node on things (node);

-- Which things an edge was seen between, '' for what is declared; and the scan that said it last.
alter table graph_evidence add column seen_from text not null default '';
alter table graph_evidence add column seen_to text not null default '';
alter table graph_evidence add column scan text not null default '';
alter table graph_evidence drop constraint graph_evidence_pkey;
alter table graph_evidence add primary key (from_id, type, to_id, source, kind, record, seen_from, seen_to);
create index graph_evidence_seen_from on graph_evidence (seen_from) where seen_from <> '';
create index graph_evidence_seen_to on graph_evidence (seen_to) where seen_to <> '';

-- One reading of a source. Nothing is deleted: they say what was looked at, and when.
create table scans (
  id text primary key,
  -- Id of the estate's entry.
  source text not null,
  started_at timestamp(3) with time zone not null,
  -- The whole place was read, from its beginning (what is there now) or from where the scan before ended (a log).
  ended_at timestamp(3) with time zone,
  -- Why it ended early; null where it did not.
  failure text,
  cursor_before text,
  cursor_after text,
  records bigint not null default 0,
  claims bigint not null default 0,
  copies bigint not null default 0,
  malformed bigint not null default 0,
  -- The first of them, each with where it stands and why it could not be read.
  malformed_first jsonb not null default '[]',
  gaps jsonb not null default '[]',
  covered_from timestamp(3) with time zone,
  covered_until timestamp(3) with time zone
);

create index scans_source on scans (source, started_at);

-- Where a value lies, by its keyed hash.
create table marks (
  mark text not null,
  thing text not null references things (id),
  source text not null,
  record text not null,
  literal boolean not null,
  sentence text not null,
  scan text not null,
  first_seen timestamp(3) with time zone not null,
  last_seen timestamp(3) with time zone not null,
  ended_at timestamp(3) with time zone,
  primary key (mark, thing, source, record)
);
