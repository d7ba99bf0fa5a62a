-- A log that was read from its beginning, where a clock was wrong and a file was emptied.

update scans set round = 'scn_2', gaps = '["It was emptied.", "A clock was wrong."]', gaps_again = '["A clock was wrong."]'
  where id = 'scn_2';
