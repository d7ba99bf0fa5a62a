-- An estate of a hundred thousand credentials is applied a change at a time. A revision keeps what it changed and not the whole
-- estate again; an entry keeps by what it is recognised, so that what did not change is neither read nor written.

alter table estate_revisions alter column document drop not null;
-- What stands beside the sections: the version of the format and the installation's name.
alter table estate_revisions add column header json;
-- Names of what it created, changed and ended, as whoever applied it was shown. Null for a revision of an earlier release.
alter table estate_revisions add column changes json;

-- Hash of the body; null where an earlier release has written it.
alter table entries add column digest text;
-- Hash of the piece of text that says it: a file of a folder, or one line of one. Null where the estate came as one file.
alter table entries add column piece text;
-- The accounts and places that no other credential may have, as the kinds call them; null where there is no piece.
alter table entries add column claims text[];

create index entries_piece on entries (piece) where ended_at is null;
create index entries_claims on entries using gin (claims) where ended_at is null and claims is not null;

-- What an entry said until a revision changed or ended it; null where it said nothing until then, having ended before.
-- With what is in force now, every past estate can be put together from this.
create table past_bodies (
  entry text not null references entries,
  until_revision integer not null references estate_revisions,
  body json,
  primary key (entry, until_revision)
);

create trigger only_added before update or delete or truncate on past_bodies
  for each statement execute function refuse_rewriting();

-- A walk asks at each node what is there now, both ways, and needs no more of an edge than is in these.
drop index graph_edges_to;
create index graph_edges_out on graph_edges (from_id, type, to_id) where ended_at is null;
create index graph_edges_in on graph_edges (to_id, type, from_id) where ended_at is null;
