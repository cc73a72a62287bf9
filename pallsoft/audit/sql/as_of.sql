-- The forms of a study as they stood after seal n: what changed later is undone, the first old value of each item wins.
-- Costs the changes after the cut, not all history; a drop-in for the table. `version` stays today's.
CREATE FUNCTION audit.form_data_as_of(p_study uuid, p_n bigint) RETURNS SETOF public.crf_formdata
LANGUAGE sql STABLE AS $$
    WITH later AS (
        SELECT s.change_set FROM audit.seal s WHERE s.study_id = p_study AND s.n > p_n
    ), first_old AS (
        SELECT DISTINCT ON (i.row_id, i.part, i.item) i.row_id, i.part, i.item, i.old
        FROM audit.item_change i JOIN later l USING (change_set)
        WHERE i.tbl = 'crf_formdata' ORDER BY i.row_id, i.part, i.item, i.id
    ), undone AS (
        SELECT o.row_id,
            array_agg(o.item) FILTER (WHERE o.part = 'data') AS data_items,
            jsonb_object_agg(o.item, o.old) FILTER (WHERE o.part = 'data' AND o.old <> 'null') AS data,
            array_agg(o.item) FILTER (WHERE o.part = 'marks') AS marks_items,
            jsonb_object_agg(o.item, o.old) FILTER (WHERE o.part = 'marks' AND o.old <> 'null') AS marks,
            jsonb_object_agg(o.item, o.old) FILTER (WHERE o.part = '') AS columns
        FROM first_old o GROUP BY o.row_id
    )
    SELECT f.* FROM public.crf_formdata f
    WHERE f.study_id = p_study AND f.id NOT IN (SELECT u.row_id FROM undone u)
        AND f.created_in NOT IN (SELECT l.change_set FROM later l)
    UNION ALL
    SELECT (jsonb_populate_record(f, coalesce(u.columns, '{}') || jsonb_build_object(
        'data', f.data - coalesce(u.data_items, '{}') || coalesce(u.data, '{}'),
        'marks', f.marks - coalesce(u.marks_items, '{}') || coalesce(u.marks, '{}')))).*
    FROM undone u JOIN public.crf_formdata f ON f.id = u.row_id
    WHERE f.study_id = p_study AND f.created_in NOT IN (SELECT l.change_set FROM later l)
$$;
REVOKE EXECUTE ON FUNCTION audit.form_data_as_of(uuid, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.form_data_as_of(uuid, bigint) TO pallsoft_app;
