-- A small change of a large estate writes what differs, and what every look asks is found without reading every edge.

-- Rights are few beside uses, and each look at findings asks for all of them.
create index graph_edges_rights on graph_edges (from_id, to_id) where type = 'can-read' and ended_at is null;

comment on column graph_evidence.last_seen is
  'Of what was seen, when that was; of what is declared, when the estate last said something new of the edge. It counts while it has no end.';
comment on column graph_edges.last_seen is
  'When a piece of evidence for it was last written.';
comment on column graph_nodes.last_seen is
  'When it was last said to be another thing than before, or seen.';
