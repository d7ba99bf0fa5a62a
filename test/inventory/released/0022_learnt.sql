-- What a log showed of the first of March was learnt on the second; what the estate declares, when it was applied.

update graph_nodes set learnt_at = case when type = 'identity' then '2026-03-02T06:30:00.000Z' else first_seen end;
update graph_edges set learnt_at = case when from_id like 'idn_%' then '2026-03-02T06:30:00.000Z' else first_seen end;
update graph_evidence set learnt_at = case when source = 'src_sessions' then '2026-03-02T06:30:00.000Z' else first_seen end;
