-- Trail rows whose content is not what their digest says. Masked rows have no salt and none of the values left: their
-- digest alone stands, and the table check compares what remains. Who, when and why are never masked.
SELECT coalesce(s.n, 0), x.what || ' was altered'
FROM (
    SELECT c.id AS change_set, 'change set ' || c.id || ' (' || c.action || ' by ' || c.actor_name || ')' AS what
    FROM audit.change_set c WHERE c.digest <> audit.digest_of(c)
    UNION ALL
    SELECT b.change_set, 'baseline ' || b.id || ', first values of ' || b.tbl || ' ' || b.row_id
    FROM audit.baseline b
    WHERE b.digest <> audit.digest_of(b.salt, b.change_set, b.tbl, b.row_id, b.doc)
        AND (b.masked_in IS NULL OR b.salt IS NOT NULL)
    UNION ALL
    SELECT i.change_set, 'change ' || i.id || ' of ' || i.tbl || ' ' || i.row_id || ' ' || ltrim(i.part || '.' || i.item, '.')
    FROM audit.item_change i
    WHERE i.digest <> audit.digest_of(i.salt, i.change_set, i.tbl, i.row_id, i.part, i.item, i.old, i.new)
        AND (i.masked_in IS NULL OR num_nonnulls(i.salt, i.old) > 0 OR i.new NOT IN ('""', '0', '[]'))
) x
LEFT JOIN audit.seal s ON s.change_set = x.change_set
LEFT JOIN audit.change_set c ON c.id = x.change_set
WHERE %(study)s::uuid IS NULL OR c.study_id = %(study)s::uuid
ORDER BY 1, 2 LIMIT 100
