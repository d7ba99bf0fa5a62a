-- Large estates. What was said of a finding is told by a hash, so that a look writes only what has changed.

-- Null: an earlier release wrote it, and the next look writes it again.
alter table findings add column digest text;

comment on column findings.last_seen is
  'When a look wrote it; of one that has not ended, the last look at everything has seen it as well.';

-- What a look has not met is looked for among those that have not ended.
create index findings_standing on findings (key) where state <> 'ended';
create index findings_of_no_credential on findings (subject) where state <> 'ended' and credential is null;

-- Who was ever seen at some credentials: without it each question reads all the evidence that there is.
create index graph_evidence_used on graph_evidence (to_id) where type = 'uses' and kind in ('read', 'session');

-- Exceptions are few, and every look asks for them.
create index entries_excepted on entries (id)
  where section in ('credentials', 'sources') and ended_at is null and body -> 'exceptions' is not null;

-- How often it was noted, without a revision, that the same estate comes from other pieces of text: whoever has read the pieces
-- before has to read them again.
create table piece_notes (
  only_row boolean primary key default true check (only_row),
  times bigint not null
);
