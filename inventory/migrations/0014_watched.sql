-- How a source was read: a log whose settings changed is read from its beginning, and what was counted is counted anew.

alter table scans add column shows text not null default 'now' check (shows in ('now', 'log'));
alter table scans add column settings text not null default '';

-- In which hours of the day and on which days of the week (UTC) something was seen, a bit for each (C24).
alter table graph_evidence add column times integer not null default 0;

-- It has got there and is read by nobody there: a commit of long ago, a line of a log.
alter table marks add column past boolean not null default false;
