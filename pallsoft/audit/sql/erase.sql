-- Erasing a subject after a withdrawal with deletion (S18): values go from the tables and from the trail, the digests
-- stay, and the chain over the digests still verifies (emptied.sql). That, by whom and when it happened stays too.

-- What is emptied, and with what: NULL where a column may be empty. Parts are documents trailed key by key.
CREATE TABLE audit.erasable (
    tbl text PRIMARY KEY,
    owner text NOT NULL,    -- SQL that gives the ids of a subject's rows
    emptied jsonb NOT NULL
);
INSERT INTO audit.erasable (tbl, owner, emptied) VALUES
    ('sites_subject', 'SELECT $1::uuid', '{"birth_year": 0, "sex": "", "adult_at_consent": null}'),
    ('sites_consent', 'SELECT id FROM public.sites_consent WHERE subject_id = $1', '{"interpreter_language": ""}'),
    ('sites_screeningentry', 'SELECT id FROM public.sites_screeningentry WHERE subject_id = $1', '{"subject_id": null}'),
    ('sites_stop', 'SELECT id FROM public.sites_stop WHERE subject_id = $1', '{"told_reason": ""}'),
    ('sites_sampletask', 'SELECT id FROM public.sites_sampletask WHERE subject_id = $1', '{"confirmation": ""}'),
    ('sites_death', 'SELECT id FROM public.sites_death WHERE subject_id = $1', '{"day": "", "cause": "", "place": ""}'),
    ('sites_aliveinrecord', 'SELECT id FROM public.sites_aliveinrecord WHERE subject_id = $1', '{"day": null}'),
    ('crf_studyevent', 'SELECT id FROM public.crf_studyevent WHERE subject_id = $1',
        '{"target_on": null, "window_from": null, "window_to": null, "happened_on": null, "not_done_reason": "",
          "not_done_code": "", "closed_for": ""}'),
    ('crf_formdata', 'SELECT id FROM public.crf_formdata WHERE subject_id = $1',
        '{"data": {}, "marks": {}, "observed_at": null}'),
    ('crf_querymessage',
        'SELECT m.id FROM public.crf_querymessage m JOIN public.crf_query q ON q.id = m.query_id WHERE q.subject_id = $1',
        '{"text": ""}'),
    ('crf_deviation', 'SELECT id FROM public.crf_deviation WHERE subject_id = $1',
        '{"explanation": "", "happened_on": null}'),
    ('crf_safetyassessment', 'SELECT id FROM public.crf_safetyassessment WHERE subject_id = $1',
        '{"expected": null, "related": "", "authority_on": null}'),
    ('randomization_allocation', 'SELECT id FROM public.randomization_allocation WHERE subject_id = $1',
        '{"inputs": {}, "inputs_sha256": ""}'),
    ('crf_maskrequest', 'SELECT id FROM public.crf_maskrequest WHERE subject_id = $1', '{"reason": ""}'),
    ('randomization_lateentry', 'SELECT id FROM public.randomization_lateentry WHERE subject_id = $1', '{"reason": ""}'),
    ('randomization_correction', 'SELECT id FROM public.randomization_correction WHERE subject_id = $1',
        '{"value_randomized": "", "value_corrected": "", "source": "", "reason": ""}');

-- The rows of one table and their trail. Digests are left; what they were made from is gone.
CREATE FUNCTION audit.empty_rows(p_what audit.erasable, p_ids uuid[]) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_parts text[] := (SELECT r.parts FROM audit.regulated r WHERE r.tbl = p_what.tbl);
    v_columns text[] := (SELECT array_agg(k) FROM jsonb_object_keys(p_what.emptied) k);
BEGIN
    EXECUTE format(
        'UPDATE public.%I t SET (%s) = (SELECT %s FROM jsonb_populate_record(NULL::public.%I, $2) e) WHERE t.id = ANY ($1)',
        p_what.tbl,
        (SELECT string_agg(quote_ident(c), ', ' ORDER BY c) FROM unnest(v_columns) c),
        (SELECT string_agg('e.' || quote_ident(c), ', ' ORDER BY c) FROM unnest(v_columns) c),
        p_what.tbl)
    USING p_ids, p_what.emptied;
    PERFORM audit.leave(b, b.doc || p_what.emptied)
    FROM audit.baseline b WHERE b.tbl = p_what.tbl AND b.row_id = ANY (p_ids);
    PERFORM audit.leave(i, NULL, CASE WHEN i.part = '' THEN nullif(p_what.emptied -> i.item, 'null') END)
    FROM audit.item_change i
    WHERE i.tbl = p_what.tbl AND i.row_id = ANY (p_ids)
        AND (i.part = ANY (v_parts) OR (i.part = '' AND i.item = ANY (v_columns)));
END $$;

-- Why something was done is free text: it goes with the values. What was done to others too keeps its reason.
CREATE FUNCTION audit.empty_reasons(p_subject uuid) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_act audit.change_set;
BEGIN
    FOR v_act IN
        WITH mine AS MATERIALIZED (
            SELECT b.row_id FROM audit.baseline b WHERE b.doc ->> 'subject_id' = p_subject::text
            UNION ALL SELECT p_subject
            UNION ALL
            SELECT m.id FROM public.crf_querymessage m JOIN public.crf_query q ON q.id = m.query_id
            WHERE q.subject_id = p_subject
        ), act AS MATERIALIZED (
            SELECT b.change_set AS id FROM audit.baseline b JOIN mine USING (row_id)
            UNION SELECT i.change_set FROM audit.item_change i JOIN mine USING (row_id)
        )
        SELECT c.* FROM audit.change_set c JOIN act ON act.id = c.id
        WHERE c.id <> audit.current_change_set() AND c.reason <> '' AND NOT EXISTS (
            SELECT FROM (
                SELECT b.row_id FROM audit.baseline b WHERE b.change_set = c.id
                UNION ALL SELECT i.row_id FROM audit.item_change i WHERE i.change_set = c.id
            ) r WHERE r.row_id NOT IN (SELECT m.row_id FROM mine m))
    LOOP
        PERFORM audit.leave(v_act);
    END LOOP;
END $$;

-- Called by the second person, inside a change set of action "audit.erase". The wish must stand, confirmed by somebody
-- else before. Locks do not hold the law back; what is emptied falls out of signatures and verifications by itself.
CREATE FUNCTION audit.erase_subject(p_erasure uuid) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_change_set uuid := audit.current_change_set();
    v_act audit.change_set;
    v_wish public.sites_erasure;
    v_what audit.erasable;
    v_ids uuid[];
BEGIN
    SELECT c.* INTO v_act FROM audit.change_set c WHERE c.id = v_change_set;
    SELECT w.* INTO v_wish FROM public.sites_erasure w WHERE w.id = p_erasure FOR NO KEY UPDATE;
    IF NOT FOUND OR v_act.action <> 'audit.erase' OR v_act.actor_id IS NULL OR v_act.study_id <> v_wish.study_id
        OR v_wish.first_confirmed_by_id IS NULL OR v_wish.first_confirmed_by_id = v_act.actor_id
        OR v_wish.erased_at IS NOT NULL OR v_wish.declined_in IS NOT NULL
    THEN
        RAISE EXCEPTION 'two persons confirm an erasure' USING ERRCODE = 'PS004';
    END IF;
    INSERT INTO audit.erasing VALUES (v_change_set);
    DELETE FROM public.crf_draft d WHERE d.subject_id = v_wish.subject_id;
    DELETE FROM identity.contact c WHERE c.subject_id = v_wish.subject_id;
    PERFORM audit.forget_requests(v_wish.subject_id);
    PERFORM audit.empty_reasons(v_wish.subject_id);
    FOR v_what IN SELECT e.* FROM audit.erasable e ORDER BY e.tbl LOOP
        EXECUTE 'SELECT array_agg(x.id) FROM (' || v_what.owner || ') AS x (id)' INTO v_ids USING v_wish.subject_id;
        IF v_ids IS NOT NULL THEN
            PERFORM audit.empty_rows(v_what, v_ids);
        END IF;
    END LOOP;
    -- Nobody answers these any more.
    INSERT INTO public.crf_querymessage (id, study_id, query_id, step, kind, text, by_rule)
    SELECT gen_random_uuid(), q.study_id, q.id, max(m.step) + 1, 'cancel', '', true
    FROM public.crf_query q JOIN public.crf_querymessage m ON m.query_id = q.id
    WHERE q.subject_id = v_wish.subject_id AND q.status IN ('open', 'answered') GROUP BY q.id;
    UPDATE public.crf_query q SET status = 'cancelled'
    WHERE q.subject_id = v_wish.subject_id AND q.status IN ('open', 'answered');
    UPDATE public.crf_verification v SET dropped_in = coalesce(v.dropped_in, v_change_set), salt = NULL
    WHERE v.subject_id = v_wish.subject_id;
    UPDATE public.crf_signature s SET voided_in = coalesce(s.voided_in, v_change_set), salt = NULL
    WHERE s.subject_id = v_wish.subject_id;
    UPDATE public.sites_erasure w SET erased_by_id = v_act.actor_id, erased_at = v_act.at WHERE w.id = p_erasure;
    DELETE FROM audit.erasing e WHERE e.change_set = v_change_set;
END $$;

REVOKE EXECUTE ON FUNCTION audit.empty_rows(audit.erasable, uuid[]), audit.empty_reasons(uuid),
    audit.erase_subject(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.erase_subject(uuid) TO pallsoft_app;
