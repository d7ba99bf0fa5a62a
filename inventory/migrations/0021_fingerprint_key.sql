-- By which key values were recognised here: its keyed hash of a text that everybody knows. Null until a worker has told it.
alter table installation add column fingerprint_key text;
