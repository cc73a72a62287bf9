-- What a lock reaches besides forms and visits (lock_path.sql), and who may lift it.
-- A freeze stops entry and leaves data cleaning open: queries, verification, judged deviations. A lock stops these too.
-- Signatures go on under both: they change nothing, and a casebook is often signed when it is closed. Both cover the facts of the subject that forms are computed from (year of birth, sex, consent), and
-- new subjects of a closed site. A withdrawal of consent is stored under any lock: it is a right with effect at once,
-- and changes no form.
CREATE FUNCTION audit.is_closed(p_study uuid, p_site uuid, p_subject uuid, p_event uuid, p_form text, p_kinds text[])
RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM public.crf_lock l
    WHERE l.study_id = p_study AND l.lifted_in IS NULL AND l.kind = ANY (p_kinds)
        AND (l.site_id IS NULL OR l.site_id = p_site)
        AND (l.subject_id IS NULL OR l.subject_id = p_subject)
        AND (l.event_id IS NULL OR l.event_id = p_event)
        AND (l.form_oid = '' OR l.form_oid = p_form));

-- Raises when a lock of these kinds covers the path. Taken shared, so that locking waits for what is under way.
CREATE FUNCTION audit.refuse_closed(p_study uuid, p_site uuid, p_subject uuid, p_event uuid, p_form text, p_kinds text[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(audit.lock_key(p_study));
    IF audit.is_closed(p_study, coalesce(p_site, (SELECT s.site_id FROM public.sites_subject s WHERE s.id = p_subject)),
        p_subject, p_event, p_form, p_kinds) AND NOT audit.is_erasing()
    THEN
        RAISE EXCEPTION 'this is locked' USING ERRCODE = 'PS006';
    END IF;
END $$;

-- Rows about a form: queries and their threads, verifications, deviations.
CREATE FUNCTION audit.refuse_locked_finding() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v jsonb := to_jsonb(NEW);
    v_event uuid := (v ->> 'event_id')::uuid;
    v_form text := coalesce(v ->> 'form_oid', '');
    v_subject uuid := (v ->> 'subject_id')::uuid;
BEGIN
    IF v ? 'query_id' THEN
        SELECT q.event_id, q.form_oid, q.subject_id INTO v_event, v_form, v_subject
        FROM public.crf_query q WHERE q.id = (v ->> 'query_id')::uuid;
    ELSIF v_form = '' AND v ->> 'form_data_id' IS NOT NULL THEN
        SELECT f.event_id, f.form_oid INTO v_event, v_form
        FROM public.crf_formdata f WHERE f.id = (v ->> 'form_data_id')::uuid;
    END IF;
    PERFORM audit.refuse_closed((v ->> 'study_id')::uuid, NULL, v_subject, v_event, v_form, '{lock}');
    RETURN NEW;
END $$;

-- Facts of a subject, when a lock closes the subject as a whole: where the row stood, and where it shall stand.
CREATE FUNCTION audit.refuse_locked_subject() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM audit.refuse_closed(NEW.study_id, (r.doc ->> 'site_id')::uuid,
        coalesce((r.doc ->> 'subject_id')::uuid, NEW.id), NULL, '', '{freeze,lock}')
    FROM unnest(ARRAY[to_jsonb(OLD), to_jsonb(NEW)]) r (doc) WHERE r.doc IS NOT NULL;
    RETURN NEW;
END $$;

-- A lock stands where it says. Lifting one of a site or of the study takes a second person, and only the first one takes
-- back what was asked for.
CREATE FUNCTION audit.check_lock_place() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.sites_site s WHERE s.id = NEW.site_id AND s.study_id <> NEW.study_id)
        OR EXISTS (SELECT FROM public.sites_subject s WHERE s.id = NEW.subject_id
            AND (s.study_id <> NEW.study_id OR s.site_id <> coalesce(NEW.site_id, s.site_id)))
        OR EXISTS (SELECT FROM public.crf_studyevent e WHERE e.id = NEW.event_id
            AND (e.study_id <> NEW.study_id OR e.subject_id <> coalesce(NEW.subject_id, e.subject_id)))
    THEN
        RAISE EXCEPTION 'a lock names a place of another subject, site or study' USING ERRCODE = 'PS005';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION audit.check_lift() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_asked uuid := (SELECT c.actor_id FROM audit.change_set c WHERE c.id = OLD.lift_requested_in);
    v_actor uuid := (SELECT c.actor_id FROM audit.change_set c WHERE c.id = audit.current_change_set());
BEGIN
    IF v_asked IS NULL OR v_actor IS NULL OR v_asked = v_actor THEN
        RAISE EXCEPTION 'lifting this lock takes two persons' USING ERRCODE = 'PS008';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION audit.check_taken_back() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.lifted_in IS NOT NULL OR (SELECT c.actor_id FROM audit.change_set c WHERE c.id = OLD.lift_requested_in)
        IS DISTINCT FROM (SELECT c.actor_id FROM audit.change_set c WHERE c.id = audit.current_change_set())
    THEN
        RAISE EXCEPTION 'who asked for the lifting takes it back' USING ERRCODE = 'PS011';
    END IF;
    RETURN NEW;
END $$;

REVOKE EXECUTE ON FUNCTION audit.is_closed(uuid, uuid, uuid, uuid, text, text[]),
    audit.refuse_closed(uuid, uuid, uuid, uuid, text, text[]), audit.refuse_locked_finding(),
    audit.refuse_locked_subject(), audit.check_lock_place(), audit.check_lift(), audit.check_taken_back()
    FROM PUBLIC;

CREATE TRIGGER lock_check_place BEFORE INSERT ON public.crf_lock
FOR EACH ROW EXECUTE FUNCTION audit.check_lock_place();
CREATE TRIGGER lock_lift BEFORE UPDATE ON public.crf_lock
FOR EACH ROW WHEN (OLD.lifted_in IS NULL AND NEW.lifted_in IS NOT NULL AND OLD.subject_id IS NULL AND OLD.event_id IS NULL)
EXECUTE FUNCTION audit.check_lift();
CREATE TRIGGER lock_taken_back BEFORE UPDATE ON public.crf_lock
FOR EACH ROW WHEN (OLD.lift_requested_in IS NOT NULL AND NEW.lift_requested_in IS NULL)
EXECUTE FUNCTION audit.check_taken_back();

CREATE TRIGGER lock_reach BEFORE INSERT OR UPDATE ON public.crf_query
FOR EACH ROW EXECUTE FUNCTION audit.refuse_locked_finding();
CREATE TRIGGER lock_reach BEFORE INSERT ON public.crf_querymessage
FOR EACH ROW EXECUTE FUNCTION audit.refuse_locked_finding();
CREATE TRIGGER lock_reach BEFORE INSERT OR UPDATE ON public.crf_verification
FOR EACH ROW EXECUTE FUNCTION audit.refuse_locked_finding();
CREATE TRIGGER lock_reach BEFORE INSERT OR UPDATE ON public.crf_deviation
FOR EACH ROW EXECUTE FUNCTION audit.refuse_locked_finding();
CREATE TRIGGER lock_reach_insert BEFORE INSERT ON public.sites_subject
FOR EACH ROW EXECUTE FUNCTION audit.refuse_locked_subject();
CREATE TRIGGER lock_reach_update BEFORE UPDATE ON public.sites_subject FOR EACH ROW
WHEN ((OLD.site_id, OLD.birth_year, OLD.sex, OLD.adult_at_consent)
    IS DISTINCT FROM (NEW.site_id, NEW.birth_year, NEW.sex, NEW.adult_at_consent))
EXECUTE FUNCTION audit.refuse_locked_subject();
CREATE TRIGGER lock_reach BEFORE INSERT OR UPDATE ON public.sites_consent
FOR EACH ROW EXECUTE FUNCTION audit.refuse_locked_subject();
CREATE TRIGGER lock_reach_insert BEFORE INSERT ON public.sites_consentoption
FOR EACH ROW EXECUTE FUNCTION audit.refuse_locked_subject();
CREATE TRIGGER lock_reach_update BEFORE UPDATE ON public.sites_consentoption FOR EACH ROW
WHEN ((OLD.consent_id, OLD.option, OLD.granted) IS DISTINCT FROM (NEW.consent_id, NEW.option, NEW.granted))
EXECUTE FUNCTION audit.refuse_locked_subject();
