-- Rows of a table as they stood after seal n of their study's chain, replayed forwards: the first values with each
-- change up to there on top. What was masked since is empty.
CREATE FUNCTION audit.rows_as_of(p_tbl text, p_rows uuid[], p_n bigint) RETURNS TABLE (row_id uuid, doc jsonb)
LANGUAGE sql STABLE AS $$
    WITH last_value AS (
        SELECT DISTINCT ON (i.row_id, i.part, i.item) i.row_id, i.part, i.item, i.new
        FROM audit.item_change i JOIN audit.seal s ON s.change_set = i.change_set
        WHERE i.tbl = p_tbl AND i.row_id = ANY (p_rows) AND s.n <= p_n
        ORDER BY i.row_id, i.part, i.item, i.id DESC
    ), changed AS (
        SELECT v.row_id, v.part, array_agg(v.item) AS items,
            coalesce(jsonb_object_agg(v.item, v.new) FILTER (WHERE v.part = '' OR v.new IS NOT NULL), '{}') AS filled
        FROM last_value v GROUP BY v.row_id, v.part
    ), replayed AS (
        SELECT b.row_id, b.doc
            || coalesce(jsonb_object_agg(c.part, (b.doc -> c.part) - c.items || c.filled) FILTER (WHERE c.part <> ''),
                '{}')
            || coalesce(jsonb_agg(c.filled) FILTER (WHERE c.part = '') -> 0, '{}') AS doc
        FROM audit.baseline b JOIN audit.seal s ON s.change_set = b.change_set
        LEFT JOIN changed c ON c.row_id = b.row_id
        WHERE b.tbl = p_tbl AND b.row_id = ANY (p_rows) AND s.n <= p_n GROUP BY b.id
    )
    SELECT r.row_id, r.doc || coalesce(
        (SELECT jsonb_object_agg(p.part, jsonb_strip_nulls(r.doc -> p.part))
            FROM audit.regulated g CROSS JOIN LATERAL unnest(g.parts) AS p (part) WHERE g.tbl = p_tbl), '{}')
    FROM replayed r
$$;

-- Put what is known of a subject back to how it stood after seal n, for this transaction and this session alone:
-- temporary tables of the same names, which every query without a schema reads first. So a page of then is drawn by the
-- very code that draws it now. They may be read and nothing else: nothing is written while one looks back.
CREATE FUNCTION audit.look_back(p_subject uuid, p_n bigint) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET client_min_messages = 'error' AS $$
DECLARE
    v_study uuid;
    v_queries uuid[];
    v_rows uuid[];
    v_table record;
BEGIN
    SELECT (b.doc ->> 'study_id')::uuid INTO v_study
    FROM audit.baseline b WHERE b.tbl = 'sites_subject' AND b.row_id = p_subject;
    SELECT coalesce(array_agg(b.row_id), '{}') INTO v_queries
    FROM audit.baseline b WHERE b.tbl = 'crf_query' AND b.doc ->> 'subject_id' = p_subject::text;
    FOR v_table IN
        SELECT r.tbl, bool_or(a.attname = 'subject_id') AS of_subject, bool_or(a.attname = 'query_id') AS of_query
        FROM audit.regulated r JOIN pg_attribute a ON a.attrelid = ('public.' || quote_ident(r.tbl))::regclass
        WHERE NOT a.attisdropped
        GROUP BY r.tbl
        HAVING r.tbl = 'sites_subject' OR bool_or(a.attname IN ('subject_id', 'query_id'))
    LOOP
        IF v_table.tbl = 'sites_subject' THEN
            v_rows := ARRAY[p_subject];
        ELSIF v_table.of_query AND NOT v_table.of_subject THEN
            SELECT coalesce(array_agg(b.row_id), '{}') INTO v_rows FROM audit.baseline b
            WHERE b.tbl = v_table.tbl AND b.doc ->> 'query_id' = ANY (v_queries::text[]);
        ELSE
            SELECT coalesce(array_agg(b.row_id), '{}') INTO v_rows FROM audit.baseline b
            WHERE b.tbl = v_table.tbl AND b.doc ->> 'subject_id' = p_subject::text;
        END IF;
        IF v_table.tbl = 'crf_lock' THEN  -- one of a site or of the study covers the subject too
            SELECT v_rows || coalesce(array_agg(l.id), '{}') INTO v_rows FROM public.crf_lock l
            WHERE l.study_id = v_study AND l.subject_id IS NULL;
        END IF;
        EXECUTE format('DROP TABLE IF EXISTS pg_temp.%I', v_table.tbl);
        EXECUTE format(
            'CREATE TEMPORARY TABLE %I ON COMMIT DROP AS SELECT t.* FROM audit.rows_as_of(%L, %L, %s) r
                CROSS JOIN LATERAL jsonb_populate_record(NULL::public.%I, ''{"version": 1}'' || r.doc) t',
            v_table.tbl, v_table.tbl, v_rows, p_n, v_table.tbl);
        EXECUTE format('GRANT SELECT ON pg_temp.%I TO pallsoft_app', v_table.tbl);
    END LOOP;
END $$;

-- The links of a chain that touched a subject, with the forms, visits and items that each is about (for who may not see
-- all of them). One row for a touched row and item.
CREATE FUNCTION audit.touching(p_subject uuid)
RETURNS TABLE (n bigint, at timestamptz, tbl text, row_id uuid, form uuid, form_oid text, event_oid text, item text)
LANGUAGE sql STABLE AS $$
    WITH mine AS MATERIALIZED (
        SELECT b.tbl, b.row_id, b.change_set, b.doc FROM audit.baseline b WHERE b.doc ->> 'subject_id' = p_subject::text
        UNION ALL
        SELECT b.tbl, b.row_id, b.change_set, b.doc FROM audit.baseline b
        WHERE b.tbl = 'sites_subject' AND b.row_id = p_subject
    ), named AS (
        SELECT m.tbl, m.row_id, m.change_set, coalesce(f.row_id, (m.doc ->> 'form_data_id')::uuid) AS form,
            coalesce(m.doc ->> 'form_oid', f.doc ->> 'form_oid') AS form_oid,
            coalesce(m.doc ->> 'event_oid', e.doc ->> 'event_oid', fe.doc ->> 'event_oid') AS event_oid,
            m.doc ->> 'item_oid' AS item
        FROM mine m
        LEFT JOIN mine f ON f.tbl = 'crf_formdata'
            AND f.row_id = CASE m.tbl WHEN 'crf_formdata' THEN m.row_id ELSE (m.doc ->> 'form_data_id')::uuid END
        LEFT JOIN mine e ON e.tbl = 'crf_studyevent' AND e.row_id = (m.doc ->> 'event_id')::uuid
        LEFT JOIN mine fe ON fe.tbl = 'crf_studyevent' AND fe.row_id = (f.doc ->> 'event_id')::uuid
    ), touched AS (
        SELECT d.change_set, d.tbl, d.row_id, d.form, d.form_oid, d.event_oid, d.item FROM named d
        UNION
        SELECT i.change_set, d.tbl, d.row_id, d.form, d.form_oid, d.event_oid,
            CASE WHEN i.part = '' THEN d.item ELSE i.item END
        FROM named d JOIN audit.item_change i ON i.tbl = d.tbl AND i.row_id = d.row_id
    )
    SELECT s.n, s.at, t.tbl, t.row_id, t.form, t.form_oid, t.event_oid, t.item
    FROM touched t JOIN audit.seal s ON s.change_set = t.change_set
$$;
REVOKE EXECUTE ON FUNCTION audit.rows_as_of(text, uuid[], bigint), audit.look_back(uuid, bigint), audit.touching(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.rows_as_of(text, uuid[], bigint), audit.look_back(uuid, bigint), audit.touching(uuid)
    TO pallsoft_app;
