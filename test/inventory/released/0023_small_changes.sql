-- It brings no rows of its own: an index, and what columns mean.

select 1;
