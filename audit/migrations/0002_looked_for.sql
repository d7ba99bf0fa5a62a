-- What is looked for is taken from the text of an entry, and an owner of this schema can end that: drop the expression of
-- a column, and write into it what they like. So nothing that is proved is proved of these columns; `rekey audit verify`
-- compares each of them with the text, whose hash is in the tree.
comment on column entries.id is 'from the body; compared with it by rekey audit verify';
comment on column entries.rotation is 'from the body; compared with it by rekey audit verify';
comment on column entries.at is 'from the body; compared with it by rekey audit verify';

-- Texts that were found and are not what was told: few, and asked for by every look of the doctor.
create index entries_of_mismatches on entries (index) where starts_with(id, 'mismatch_');
