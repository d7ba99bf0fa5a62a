-- Everything that was read since a source was read from its beginning bears one mark: what was counted in an earlier round is
-- counted anew, and what an earlier one could not read stands no more once a later one has read it. Empty: of an earlier release.
alter table scans add column round text not null default '';
-- Of the gaps, those that a reading from the beginning names again where they are there still.
alter table scans add column gaps_again jsonb not null default '[]';
