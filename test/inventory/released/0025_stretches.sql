-- Every record of the log of the third reading lay within an hour of another.

update scans set stretches = case when covered_from is null then '[]'::jsonb
  else jsonb_build_array(jsonb_build_array(extract(epoch from covered_from) * 1000, extract(epoch from covered_until) * 1000)) end;
