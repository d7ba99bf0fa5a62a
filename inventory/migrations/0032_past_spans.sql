-- For how long what is on the map, or a copy of a value, was there before it came back: its own row says only since when it is there
-- again. Whatever writes the map, what it takes an end from is kept here.
create table past_spans (
  of text not null check (of in ('node', 'edge', 'copy')),
  -- What its row is found by: the id of a node; from, type and to of an edge; mark, thing, source and record of a copy.
  key text[] not null,
  first_seen timestamp(3) with time zone not null,
  -- Null: an earlier release had not kept it, or a copy, of which it is not kept.
  learnt_at timestamp(3) with time zone,
  ended_at timestamp(3) with time zone not null,
  primary key (of, key, ended_at)
);

create trigger only_added before update or delete or truncate on past_spans
  for each statement execute function refuse_rewriting();

create function keep_past_span() returns trigger language plpgsql as $$
declare
  was jsonb := to_jsonb(old);
begin
  insert into rekey_inventory.past_spans (of, key, first_seen, learnt_at, ended_at)
  select tg_argv[0], array_agg(was ->> name order by place), old.first_seen, (was ->> 'learnt_at')::timestamptz, old.ended_at
  from unnest(tg_argv[1:]) with ordinality as columns (name, place)
  -- Ended, back and ended within one millisecond.
  on conflict do nothing;
  return null;
end $$;

create trigger keeps_past_span after update on graph_nodes for each row
  when (old.ended_at is not null and new.ended_at is null) execute function keep_past_span('node', 'id');
create trigger keeps_past_span after update on graph_edges for each row
  when (old.ended_at is not null and new.ended_at is null) execute function keep_past_span('edge', 'from_id', 'type', 'to_id');
create trigger keeps_past_span after update on marks for each row
  when (old.ended_at is not null and new.ended_at is null) execute function keep_past_span('copy', 'mark', 'thing', 'source', 'record');
