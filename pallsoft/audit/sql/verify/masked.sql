-- Rows of the trail that an act of masking has emptied.
SELECT count(*) FROM (
    SELECT b.masked_in FROM audit.baseline b WHERE b.masked_in IS NOT NULL
    UNION ALL SELECT i.masked_in FROM audit.item_change i WHERE i.masked_in IS NOT NULL
) m JOIN audit.change_set c ON c.id = m.masked_in
WHERE c.action = 'audit.mask' AND (%(study)s::uuid IS NULL OR c.study_id = %(study)s::uuid)
