-- Trail rows whose content is not what their digest says, or, when they were masked or erased, not what that act left of
-- them. Who and when are never emptied.
SELECT coalesce(s.n, 0), x.what || ' was altered'
FROM (
    SELECT c.id AS change_set, 'change set ' || c.id || ' (' || c.action || ' by ' || c.actor_name || ')' AS what
    FROM audit.change_set c
    WHERE CASE WHEN c.masked_in IS NULL THEN c.digest <> audit.digest_of(c)
        ELSE NOT audit.is_left('audit.change_set', 0, c.id, c.masked_in, audit.digest_of(c)) END
    UNION ALL
    SELECT b.change_set, 'baseline ' || b.id || ', first values of ' || b.tbl || ' ' || b.row_id
    FROM audit.baseline b
    CROSS JOIN LATERAL audit.digest_of(b.salt, b.change_set, b.tbl, b.row_id, b.doc) AS now (digest)
    WHERE CASE WHEN b.masked_in IS NULL THEN b.digest <> now.digest
        ELSE NOT audit.is_left('audit.baseline', b.id, b.row_id, b.masked_in, now.digest) END
    UNION ALL
    SELECT i.change_set, 'change ' || i.id || ' of ' || i.tbl || ' ' || i.row_id || ' ' || ltrim(i.part || '.' || i.item, '.')
    FROM audit.item_change i
    CROSS JOIN LATERAL audit.digest_of(i.salt, i.change_set, i.tbl, i.row_id, i.part, i.item, i.old, i.new)
        AS now (digest)
    WHERE CASE WHEN i.masked_in IS NULL THEN i.digest <> now.digest
        ELSE NOT audit.is_left('audit.item_change', i.id, i.row_id, i.masked_in, now.digest) END
) x
LEFT JOIN audit.seal s ON s.change_set = x.change_set
LEFT JOIN audit.change_set c ON c.id = x.change_set
WHERE %(study)s::uuid IS NULL OR c.study_id = %(study)s::uuid
ORDER BY 1, 2 LIMIT 100
