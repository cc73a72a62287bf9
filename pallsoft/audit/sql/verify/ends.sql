-- The ends of the chains, and what hangs on none of them.
SELECT h.n, 'the last link is not the one that the head names'
FROM audit.head h LEFT JOIN LATERAL (
    SELECT s.n, s.hash FROM audit.seal s WHERE s.study_id = h.study_id ORDER BY s.n DESC LIMIT 1
) l ON true
WHERE (%(study)s::uuid IS NULL OR h.study_id = %(study)s::uuid) AND (h.n, h.hash) IS DISTINCT FROM (l.n, l.hash)
UNION ALL
SELECT s.n, 'the chain has no head' FROM audit.seal s
WHERE s.n = 1 AND NOT EXISTS (SELECT FROM audit.head h WHERE h.study_id = s.study_id)
    AND (%(study)s::uuid IS NULL OR s.study_id = %(study)s::uuid)
UNION ALL
SELECT 0, 'change set ' || c.id || ' (' || c.action || ' by ' || c.actor_name || ') is not sealed'
FROM audit.change_set c WHERE NOT EXISTS (SELECT FROM audit.seal s WHERE s.change_set = c.id)
    AND (%(study)s::uuid IS NULL OR c.study_id = %(study)s::uuid)
UNION ALL
SELECT 0, r.what || ' belongs to no change set'
FROM (
    SELECT 'baseline ' || b.id || ' of ' || b.tbl AS what, b.change_set FROM audit.baseline b
    UNION ALL SELECT 'change ' || i.id || ' of ' || i.tbl, i.change_set FROM audit.item_change i
) r
WHERE NOT EXISTS (SELECT FROM audit.change_set c WHERE c.id = r.change_set)
UNION ALL
SELECT 0, r.what || ' was masked by no sealed act of masking'
FROM (
    SELECT 'baseline ' || b.id || ' of ' || b.tbl AS what, b.masked_in FROM audit.baseline b
    UNION ALL SELECT 'change ' || i.id || ' of ' || i.tbl, i.masked_in FROM audit.item_change i
    UNION ALL SELECT 'change set ' || c.id, c.masked_in FROM audit.change_set c
) r
WHERE r.masked_in IS NOT NULL AND NOT EXISTS (
    SELECT FROM audit.seal s JOIN audit.change_set c ON c.id = s.change_set
    WHERE s.change_set = r.masked_in AND c.action IN ('audit.mask', 'audit.erase')
)
ORDER BY 1, 2 LIMIT 100
