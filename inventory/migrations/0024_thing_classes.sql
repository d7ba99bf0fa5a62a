-- What each source took a thing for last. Kept by source, so that whichever is read first decides nothing, and a source that has
-- mended its word is believed.

create table thing_classes (
  thing text not null references things (id),
  source text not null,
  class text not null,
  last_seen timestamp(3) with time zone not null,
  primary key (thing, source)
);
