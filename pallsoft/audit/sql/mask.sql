-- Masking of identity that was typed by mistake (AUD-14): the value and its salt go, the digest stays, so that the chain
-- still verifies; who, when and why stay (emptied.sql).

-- What a stored value says in words; codes and units say nothing of a person.
CREATE FUNCTION audit.texts_of(p jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT DISTINCT v #>> '{}' FROM jsonb_path_query(
        CASE jsonb_typeof(p) WHEN 'object' THEN p - '{missing,by_rule,unit,set_aside_missing}'::text[] ELSE p END,
        'lax $.** ? (@.type() == "string" && @ != "")') v
$$;

CREATE FUNCTION audit.says(p jsonb, p_texts text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT EXISTS (SELECT FROM audit.texts_of(p) t WHERE t = ANY (p_texts))
$$;

-- Empty one item of one row wherever the trail says one of these texts. JSON null stands for what was taken out.
CREATE FUNCTION audit.mask_trail(p_tbl text, p_row uuid, p_item text, p_texts text[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_baseline audit.baseline;
    v_doc jsonb;
    v_change audit.item_change;
    v_path text[];
    v_masked bigint := 0;
BEGIN
    SELECT b.* INTO v_baseline FROM audit.baseline b WHERE b.tbl = p_tbl AND b.row_id = p_row;
    v_doc := v_baseline.doc;
    FOREACH v_path SLICE 1 IN ARRAY ARRAY[['', p_item], ['data', p_item], ['marks', p_item]] LOOP
        v_path := array_remove(v_path, '');
        IF v_doc #> v_path IS NOT NULL AND audit.says(v_doc #> v_path, p_texts) THEN
            v_doc := jsonb_set(v_doc, v_path, 'null');
            v_masked := 1;
        END IF;
    END LOOP;
    IF v_masked > 0 THEN
        PERFORM audit.leave(v_baseline, v_doc);
    END IF;
    FOR v_change IN
        SELECT i.* FROM audit.item_change i
        WHERE i.tbl = p_tbl AND i.row_id = p_row AND i.item = p_item
            AND (audit.says(i.old, p_texts) OR audit.says(i.new, p_texts))
        ORDER BY i.id
    LOOP
        PERFORM audit.leave(v_change,
            CASE WHEN audit.says(v_change.old, p_texts) THEN 'null' ELSE v_change.old END,
            CASE WHEN audit.says(v_change.new, p_texts) THEN 'null' ELSE v_change.new END);
        v_masked := v_masked + 1;
    END LOOP;
    RETURN v_masked;
END $$;

-- Do what a request for masking asks, in the act of the second person. The request names rows of the trail (0: the first
-- values) and messages of queries; equal texts of the same item go with them. What stands in the form now is taken out
-- by the service before. Returns how many rows of the trail were emptied.
CREATE FUNCTION audit.mask(p_request uuid) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    v_act audit.change_set;
    v_request public.crf_maskrequest;
    v_texts text[];
    v_masked bigint;
    v_row record;
BEGIN
    SELECT c.* INTO v_act FROM audit.change_set c WHERE c.id = audit.current_change_set();
    SELECT r.* INTO v_request FROM public.crf_maskrequest r WHERE r.id = p_request;
    IF v_act.action <> 'audit.mask' OR v_request.confirmed_in IS DISTINCT FROM v_act.id
        OR v_act.actor_id IS NULL OR v_act.actor_id = v_request.requested_by_id
    THEN
        RAISE EXCEPTION 'masking is asked for by one person and done by another' USING ERRCODE = 'PS004';
    END IF;
    SELECT coalesce(array_agg(DISTINCT t.said), '{}') INTO v_texts FROM (
        SELECT audit.texts_of(b.doc -> p.part -> v_request.item_oid) AS said
        FROM audit.baseline b CROSS JOIN (VALUES ('data'), ('marks')) AS p (part)
        WHERE b.tbl = 'crf_formdata' AND b.row_id = v_request.form_data_id AND v_request.changes @> '0'
        UNION
        SELECT audit.texts_of(i.new) FROM audit.item_change i
        WHERE i.tbl = 'crf_formdata' AND i.row_id = v_request.form_data_id AND i.item = v_request.item_oid
            AND v_request.changes @> to_jsonb(i.id)
    ) t;
    v_masked := audit.mask_trail('crf_formdata', v_request.form_data_id, v_request.item_oid, v_texts);
    FOR v_row IN
        UPDATE public.crf_deviation d SET explanation = '[masked]'
        FROM public.crf_deviation o
        WHERE o.id = d.id AND d.form_data_id = v_request.form_data_id AND d.explanation = ANY (v_texts)
        RETURNING d.id, o.explanation AS said
    LOOP
        v_masked := v_masked + audit.mask_trail('crf_deviation', v_row.id, 'explanation', ARRAY[v_row.said]);
    END LOOP;
    INSERT INTO audit.erasing VALUES (v_act.id);  -- a message is never changed, but for this
    -- Or these digests could be guessed back.
    UPDATE public.crf_verification v SET salt = NULL
    WHERE v.form_data_id = v_request.form_data_id AND v.item_oid = v_request.item_oid AND v.dropped_in IS NOT NULL;
    UPDATE public.crf_signature s SET salt = NULL
    WHERE s.subject_id = v_request.subject_id AND s.voided_in IS NOT NULL;
    PERFORM audit.forget_requests(v_request.subject_id);
    FOR v_row IN
        UPDATE public.crf_querymessage m SET text = '[masked]'
        FROM public.crf_querymessage o JOIN public.crf_query q ON q.id = o.query_id
        JOIN public.crf_formdata f ON f.id = v_request.form_data_id
        WHERE o.id = m.id AND v_request.messages @> to_jsonb(m.id::text) AND q.item_oid = v_request.item_oid
            AND q.event_id = f.event_id AND q.form_oid = f.form_oid AND q.repeat_key = f.repeat_key
        RETURNING m.id, o.text AS said
    LOOP
        v_masked := v_masked + audit.mask_trail('crf_querymessage', v_row.id, 'text', ARRAY[v_row.said]);
    END LOOP;
    DELETE FROM audit.erasing e WHERE e.change_set = v_act.id;
    RETURN v_masked;
END $$;
REVOKE EXECUTE ON FUNCTION audit.texts_of(jsonb), audit.says(jsonb, text[]), audit.mask(uuid),
    audit.mask_trail(text, uuid, text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.mask(uuid), audit.texts_of(jsonb) TO pallsoft_app;
