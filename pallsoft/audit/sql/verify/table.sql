-- Rows of one table that are not what the trail says: whole rows first, then the items of those that differ.
-- A column added later is no difference while it is empty. {columns}: the trailed ones.
WITH pair AS MATERIALIZED (
    SELECT coalesce(t.id, r.row_id) AS id, jsonb_strip_nulls(r.doc) AS trailed,
        jsonb_strip_nulls(to_jsonb(t)) AS stored
    FROM audit.replay(%(table)s) r FULL JOIN (SELECT {columns} FROM "{table}") t ON t.id = r.row_id
    WHERE jsonb_strip_nulls(r.doc) IS DISTINCT FROM jsonb_strip_nulls(to_jsonb(t))
)
SELECT 0, %(table)s || ' ' || p.id || CASE
        WHEN p.stored IS NULL THEN ': the row is gone'
        WHEN p.trailed IS NULL THEN ': the row was never trailed'
        ELSE ' ' || d.item || ' is not what the trail says'
    END
FROM pair p LEFT JOIN LATERAL (
    SELECT ltrim(coalesce(a.part, b.part) || '.' || coalesce(a.item, b.item), '.') AS item
    FROM audit.items_of(p.trailed, %(parts)s::text[]) a FULL JOIN audit.items_of(p.stored, %(parts)s::text[]) b
        ON b.part = a.part AND b.item = a.item
    WHERE a.value IS DISTINCT FROM b.value
) d ON p.stored IS NOT NULL AND p.trailed IS NOT NULL
WHERE %(study)s::uuid IS NULL OR coalesce(p.stored, p.trailed) ->> 'study_id' = %(study)s
ORDER BY 1, 2 LIMIT 100
