-- The items of a document as rows: columns (part '', those without a value left out) and keys of its parts.
CREATE FUNCTION audit.items_of(p_doc jsonb, p_parts text[]) RETURNS TABLE (part text, item text, value jsonb)
LANGUAGE sql IMMUTABLE AS $$
    SELECT '', c.key, c.value FROM jsonb_each(p_doc - p_parts) c WHERE c.value <> 'null'
    UNION ALL
    SELECT p.part, d.key, d.value FROM unnest(p_parts) AS p (part) CROSS JOIN LATERAL jsonb_each(p_doc -> p.part) d
$$;

-- The trail to read: the first value of every item (change 0) and each change of it.
CREATE VIEW audit.trail AS
WITH change AS (
    SELECT 0 AS change, b.change_set, b.tbl, b.row_id, f.part, f.item, NULL::jsonb AS old, f.value AS new, b.masked_in
    FROM audit.baseline b JOIN audit.regulated r ON r.tbl = b.tbl
    CROSS JOIN LATERAL audit.items_of(b.doc, r.parts) f
    UNION ALL
    SELECT i.id, i.change_set, i.tbl, i.row_id, i.part, i.item, i.old, i.new, i.masked_in FROM audit.item_change i
)
SELECT c.*, s.n AS seal_n, h.study_id, h.at, h.actor_id, h.actor_name, h.role, h.site_id, h.action, h.reason,
    h.request_id, h.software_version
FROM change c JOIN audit.change_set h ON h.id = c.change_set LEFT JOIN audit.seal s ON s.change_set = c.change_set;
GRANT SELECT ON audit.trail TO pallsoft_app;

-- What the trail says a table holds: each row's baseline with the last value of each changed item on top.
CREATE FUNCTION audit.replay(p_tbl text) RETURNS TABLE (row_id uuid, doc jsonb) LANGUAGE sql STABLE AS $$
    WITH last_value AS (
        SELECT DISTINCT ON (i.row_id, i.part, i.item) i.row_id, i.part, i.item, i.new
        FROM audit.item_change i WHERE i.tbl = p_tbl ORDER BY i.row_id, i.part, i.item, i.id DESC
    ), changed AS (
        SELECT v.row_id, v.part, array_agg(v.item) AS items,
            coalesce(jsonb_object_agg(v.item, v.new) FILTER (WHERE v.part = '' OR v.new IS NOT NULL), '{}') AS filled
        FROM last_value v GROUP BY v.row_id, v.part
    )
    SELECT b.row_id, b.doc
        || coalesce(jsonb_object_agg(c.part, (b.doc -> c.part) - c.items || c.filled) FILTER (WHERE c.part <> ''), '{}')
        || coalesce(jsonb_agg(c.filled) FILTER (WHERE c.part = '') -> 0, '{}')
    FROM audit.baseline b LEFT JOIN changed c ON c.row_id = b.row_id
    WHERE b.tbl = p_tbl GROUP BY b.id
$$;
REVOKE EXECUTE ON FUNCTION audit.items_of(jsonb, text[]), audit.replay(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.items_of(jsonb, text[]), audit.replay(text) TO pallsoft_app;
