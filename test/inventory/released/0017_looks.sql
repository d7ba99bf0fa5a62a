-- A finding that a look has told by its hash, and pieces that were noted.

update findings set digest = 'of-the-finding' where code = 'literal';

insert into piece_notes (times) values
  (2);
