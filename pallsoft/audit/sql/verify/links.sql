-- Links that do not follow the one before, or whose change set holds other rows than those sealed.
WITH link AS (
    SELECT s.*, lag(s.n, 1, 0::bigint) OVER w AS n_before, lag(s.hash, 1, ''::bytea) OVER w AS hash_before
    FROM audit.seal s WHERE %(study)s::uuid IS NULL OR s.study_id = %(study)s::uuid
    WINDOW w AS (PARTITION BY s.study_id ORDER BY s.n)
), judged AS (
    SELECT l.study_id, l.n, CASE
        WHEN c.id IS NULL THEN 'change set ' || l.change_set || ' is missing'
        WHEN l.study_id <> coalesce(c.study_id, '00000000-0000-0000-0000-000000000000')
            THEN 'the link stands in the chain of another study'
        WHEN l.n <> l.n_before + 1 THEN 'the link before it is missing'
        WHEN l.prev <> l.hash_before THEN 'the link does not follow the one before'
        WHEN l.hash <> audit.link_hash(l.prev, l.study_id, l.n, l.at, audit.body_of(l.change_set))
            THEN 'trail rows of change set ' || l.change_set || ' were added, removed, reordered or altered'
        END AS finding
    FROM link l LEFT JOIN audit.change_set c ON c.id = l.change_set
)
SELECT j.n, j.finding FROM judged j WHERE j.finding IS NOT NULL ORDER BY j.study_id, j.n LIMIT 100
