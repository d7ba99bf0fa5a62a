-- From a place to the values that were met there, and whether any value lies anywhere: each question to the map asks that.
create index marks_of_things on marks (thing) where ended_at is null;
