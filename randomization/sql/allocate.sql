-- The only door to the list. Refusals have SQLSTATEs of their own (randomization/refusals.py puts them into words).
-- Nothing may tell what is to come, not even to a stolen login that rolls back: a session setting that prints plans is
-- off inside (a plan names the arm), and errors lose their details (a detail shows the row that failed).

-- Lock study, site and subject in the order of the house, and refuse when randomisation is not open. FOR SHARE: the
-- emergency stop waits for those in flight, and whoever comes after its commit is refused (RND-14). The advisory lock
-- keeps its place in the queue: row locks held together let newcomers pass it without end.
CREATE FUNCTION public.randomization_hold(p_subject uuid) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_study uuid;
    v_site uuid;
BEGIN
    SELECT s.study_id, s.site_id INTO STRICT v_study, v_site FROM public.sites_subject s WHERE s.id = p_subject;
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('randomization ' || v_study, 0));
    PERFORM FROM public.trials_study s WHERE s.id = v_study AND s.status = 'open' AND s.randomization_open FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'randomisation is stopped' USING ERRCODE = 'PR001';
    END IF;
    PERFORM FROM public.sites_site s WHERE s.id = v_site AND s.status = 'open' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the site is not open' USING ERRCODE = 'PR002';
    END IF;
    PERFORM FROM public.sites_subject s WHERE s.id = p_subject AND s.site_id = v_site FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the subject moved meanwhile' USING ERRCODE = '40001';
    END IF;
END $$;

-- Give the subject the next slot of its stratum and tell only the id of the allocation. Called again with the same key
-- it gives the first answer. The stratum is locked before anything is looked up, or a double click would race.
CREATE FUNCTION public.randomization_allocate(
    p_subject uuid, p_stratum text, p_key uuid, p_by uuid, p_inputs jsonb, p_inputs_sha256 text, p_version text)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET debug_print_plan = off AS $$
BEGIN
    PERFORM public.randomization_hold(p_subject);
    RETURN sealed.take('central', p_subject, p_stratum, p_key, p_by, p_inputs, p_inputs_sha256, p_version, NULL, NULL);
END $$;

-- Record what the telephone gave: the slot p_position of the fallback list, which must be the next one (RND-12).
-- A stopped trial or a closed site changes nothing: it has happened.
CREATE FUNCTION public.randomization_allocate_late(
    p_subject uuid, p_stratum text, p_key uuid, p_by uuid, p_inputs jsonb, p_inputs_sha256 text, p_version text,
    p_happened_at timestamptz, p_position integer)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET debug_print_plan = off AS $$
BEGIN
    PERFORM FROM public.sites_subject s WHERE s.id = p_subject FOR NO KEY UPDATE;
    RETURN sealed.take('fallback', p_subject, p_stratum, p_key, p_by, p_inputs, p_inputs_sha256, p_version,
        p_happened_at, p_position);
END $$;

CREATE FUNCTION sealed.take(
    p_purpose text, p_subject uuid, p_stratum text, p_key uuid, p_by uuid, p_inputs jsonb, p_inputs_sha256 text,
    p_version text, p_happened_at timestamptz, p_position integer)
RETURNS uuid LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_study uuid;
    v_site uuid;
    v_slot sealed.slot;
    v_earlier public.randomization_allocation;
    v_id uuid := gen_random_uuid();
BEGIN
    SELECT s.study_id, s.site_id INTO STRICT v_study, v_site FROM public.sites_subject s WHERE s.id = p_subject;
    PERFORM sealed.lock_stratum(v_study, p_purpose, p_stratum);
    SELECT a.* INTO v_earlier FROM public.randomization_allocation a WHERE a.key = p_key OR a.subject_id = p_subject;
    IF FOUND THEN
        IF v_earlier.key = p_key AND v_earlier.subject_id = p_subject THEN
            RETURN v_earlier.id;
        END IF;
        RAISE EXCEPTION 'already randomised, or the key of another subject' USING ERRCODE = 'PR003';
    END IF;
    SELECT n.* INTO v_slot FROM sealed.next_slot(v_study, p_purpose, p_stratum) n;
    IF v_slot.seq IS NULL THEN
        RAISE EXCEPTION 'the list is exhausted' USING ERRCODE = 'PR004';
    END IF;
    IF p_purpose = 'fallback' AND (p_position IS DISTINCT FROM v_slot.seq OR p_happened_at IS NULL) THEN
        RAISE EXCEPTION 'not the next slot' USING ERRCODE = 'PR006';
    END IF;
    INSERT INTO public.randomization_allocation (id, study_id, site_id, subject_id, stratum_id, seq, arm, key,
        allocated_by_id, at, happened_at, inputs, inputs_sha256, software_version)
    VALUES (v_id, v_study, v_site, p_subject, v_slot.stratum_id, v_slot.seq, v_slot.arm, p_key,
        p_by, clock_timestamp(), p_happened_at, p_inputs, p_inputs_sha256, p_version);
    RETURN v_id;
EXCEPTION WHEN integrity_constraint_violation THEN
    RAISE EXCEPTION '%', SQLERRM USING ERRCODE = SQLSTATE;
END $$;

-- The strata of that code in the confirmed lists, oldest list first: one waits here, the others behind.
CREATE FUNCTION sealed.lock_stratum(p_study uuid, p_purpose text, p_stratum text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM t.id FROM public.randomization_stratum t JOIN public.randomization_scheme s ON s.id = t.scheme_id
    WHERE s.study_id = p_study AND s.purpose = p_purpose AND s.confirmed_at IS NOT NULL AND t.code = p_stratum
    ORDER BY s.imported_at, s.id FOR NO KEY UPDATE OF t;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no confirmed list has the stratum' USING ERRCODE = 'PR005';
    END IF;
END $$;

-- The slot after the last used one; when a list is used up, the first slot of the next list.
CREATE FUNCTION sealed.next_slot(p_study uuid, p_purpose text, p_stratum text) RETURNS sealed.slot LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.* FROM public.randomization_stratum t JOIN public.randomization_scheme s ON s.id = t.scheme_id
    CROSS JOIN LATERAL (SELECT coalesce(max(a.seq), 0) + 1 AS seq FROM public.randomization_allocation a
        WHERE a.stratum_id = t.id) n
    JOIN sealed.slot o ON o.stratum_id = t.id AND o.seq = n.seq
    WHERE s.study_id = p_study AND s.purpose = p_purpose AND s.confirmed_at IS NOT NULL AND t.code = p_stratum
    ORDER BY s.imported_at, s.id LIMIT 1
$$;

-- The arms of subjects whose allocation is committed. Transaction ids start again after dump and restore, so a row is
-- hidden only while it is also younger than the transaction.
CREATE FUNCTION public.randomization_arms(p_subjects uuid[]) RETURNS TABLE (subject_id uuid, arm text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.subject_id, a.arm FROM public.randomization_allocation a WHERE a.subject_id = ANY(p_subjects)
        AND (a.txid IS DISTINCT FROM pg_current_xact_id_if_assigned() OR a.at < transaction_timestamp())
$$;

-- True when four fifths of the slots of the allocation's stratum are used: the list holder is told (RND-13).
CREATE FUNCTION public.randomization_runs_low(p_allocation uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH strata AS (
        SELECT t.id FROM public.randomization_stratum t JOIN public.randomization_scheme s ON s.id = t.scheme_id
        JOIN public.randomization_stratum own ON own.code = t.code
        JOIN public.randomization_scheme own_list ON own_list.id = own.scheme_id
        JOIN public.randomization_allocation a ON a.stratum_id = own.id
        WHERE a.id = p_allocation AND s.confirmed_at IS NOT NULL
            AND s.study_id = own_list.study_id AND s.purpose = own_list.purpose
    )
    SELECT 5 * (SELECT count(*) FROM public.randomization_allocation a JOIN strata t ON t.id = a.stratum_id)
        >= 4 * (SELECT count(*) FROM sealed.slot o JOIN strata t ON t.id = o.stratum_id)
$$;

REVOKE EXECUTE ON FUNCTION sealed.take(text, uuid, text, uuid, uuid, jsonb, text, text, timestamptz, integer),
    sealed.lock_stratum(uuid, text, text), sealed.next_slot(uuid, text, text), public.randomization_hold(uuid),
    public.randomization_allocate(uuid, text, uuid, uuid, jsonb, text, text),
    public.randomization_allocate_late(uuid, text, uuid, uuid, jsonb, text, text, timestamptz, integer),
    public.randomization_arms(uuid[]), public.randomization_runs_low(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.randomization_hold(uuid),
    public.randomization_allocate(uuid, text, uuid, uuid, jsonb, text, text),
    public.randomization_allocate_late(uuid, text, uuid, uuid, jsonb, text, text, timestamptz, integer),
    public.randomization_arms(uuid[]), public.randomization_runs_low(uuid) TO pallsoft_app;
