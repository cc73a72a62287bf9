-- Trail rows whose content is not what their digest says. Masked rows have no salt left: their digest alone stands. Of
-- what an erasure left, the table check compares the rest; of what a masking left, its own note does. Who, when and why
-- are never masked.
SELECT coalesce(s.n, 0), x.what || ' was altered'
FROM (
    SELECT c.id AS change_set, 'change set ' || c.id || ' (' || c.action || ' by ' || c.actor_name || ')' AS what
    FROM audit.change_set c WHERE c.digest <> audit.digest_of(c)
    UNION ALL
    SELECT b.change_set, 'baseline ' || b.id || ', first values of ' || b.tbl || ' ' || b.row_id
    FROM audit.baseline b
    WHERE b.digest <> audit.digest_of(b.salt, b.change_set, b.tbl, b.row_id, b.doc)
        AND NOT (b.masked_in IS NOT NULL AND b.salt IS NULL AND (b.doc IS NULL
            OR EXISTS (SELECT FROM audit.change_set e WHERE e.id = b.masked_in AND e.action = 'audit.erase')
            OR audit.is_masked_rest('audit.baseline', b.id, b.masked_in, b.doc)))
    UNION ALL
    SELECT i.change_set, 'change ' || i.id || ' of ' || i.tbl || ' ' || i.row_id || ' ' || ltrim(i.part || '.' || i.item, '.')
    FROM audit.item_change i
    WHERE i.digest <> audit.digest_of(i.salt, i.change_set, i.tbl, i.row_id, i.part, i.item, i.old, i.new)
        AND NOT (i.masked_in IS NOT NULL AND i.salt IS NULL AND (
            (i.old IS NULL AND (i.new IS NULL OR i.new IN ('""', '0', '[]')))
            OR audit.is_masked_rest('audit.item_change', i.id, i.masked_in, jsonb_build_array(i.old, i.new))))
) x
LEFT JOIN audit.seal s ON s.change_set = x.change_set
LEFT JOIN audit.change_set c ON c.id = x.change_set
WHERE %(study)s::uuid IS NULL OR c.study_id = %(study)s::uuid
ORDER BY 1, 2 LIMIT 100
