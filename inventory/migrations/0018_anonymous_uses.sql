-- That something was used, by whom its source does not say. It is no edge of the map, because it has no beginning; and it is
-- never ended: that it was used then stays true, and counts for as long as a use counts.

create table anonymous_uses (
  thing text not null references things (id),
  source text not null,
  record text not null,
  sentence text not null,
  first_seen timestamp(3) with time zone not null,
  last_seen timestamp(3) with time zone not null,
  primary key (thing, source, record)
);
