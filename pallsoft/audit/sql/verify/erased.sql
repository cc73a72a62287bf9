-- Erasures of participants, with how many rows of the trail each of them emptied.
SELECT s.n, 'participant erased by ' || c.actor_name || ' and a second person: ' || m.n || ' rows of the trail are empty'
FROM (
    SELECT x.masked_in, count(*) AS n FROM (
        SELECT b.masked_in FROM audit.baseline b UNION ALL SELECT i.masked_in FROM audit.item_change i
    ) x WHERE x.masked_in IS NOT NULL GROUP BY x.masked_in
) m
JOIN audit.change_set c ON c.id = m.masked_in AND c.action = 'audit.erase'
JOIN audit.seal s ON s.change_set = c.id
WHERE %(study)s::uuid IS NULL OR c.study_id = %(study)s::uuid
ORDER BY s.n
