-- Regulated tables on which not all triggers of the trail are on.
SELECT 0, t.tbl || ': a trigger of the trail is missing or off'
FROM unnest(%(tables)s::text[]) AS t (tbl)
WHERE 4 > (
    SELECT count(*) FROM pg_trigger g WHERE g.tgrelid = t.tbl::regclass AND g.tgenabled = 'O'
    AND g.tgname IN ('trail_insert', 'trail_update', 'trail_delete', 'trail_truncate')
)
ORDER BY 2
