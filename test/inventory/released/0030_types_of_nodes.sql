-- It brings no rows of its own: an index.

select 1;
