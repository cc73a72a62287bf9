-- Locks (freeze or lock) cover a path, also of forms that do not exist yet. Saves hold the study's advisory lock shared,
-- locking takes it exclusive: a save in flight ends before the lock stands, and none slips past it.
CREATE FUNCTION audit.lock_key(p_study uuid) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN hashtextextended('crf_lock ' || p_study::text, 0);

-- Before the lock's row is stored.
CREATE FUNCTION audit.close_path() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(audit.lock_key(NEW.study_id));
    RETURN NEW;
END $$;

CREATE FUNCTION audit.refuse_locked_form() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND EXISTS (SELECT FROM new_rows) THEN
        PERFORM audit.current_change_set();  -- the number of saves is not trailed, yet nobody writes it without a name
    END IF;
    PERFORM pg_advisory_xact_lock_shared(audit.lock_key(r.study_id)) FROM (SELECT DISTINCT n.study_id FROM new_rows n) r;
    IF EXISTS (
        SELECT FROM new_rows n
        JOIN public.crf_lock l ON l.study_id = n.study_id AND l.lifted_in IS NULL
        WHERE (l.subject_id IS NULL OR l.subject_id = n.subject_id)
            AND (l.event_id IS NULL OR l.event_id = n.event_id)
            AND (l.form_oid = '' OR l.form_oid = n.form_oid)
            AND (l.site_id IS NULL
                OR l.site_id = (SELECT s.site_id FROM public.sites_subject s WHERE s.id = n.subject_id))
    ) AND NOT audit.is_erasing() THEN
        RAISE EXCEPTION 'the form is locked' USING ERRCODE = 'PS006';
    END IF;
    RETURN NULL;
END $$;

-- A visit is covered by locks that name no form.
CREATE FUNCTION audit.refuse_locked_event() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(audit.lock_key(r.study_id)) FROM (SELECT DISTINCT n.study_id FROM new_rows n) r;
    IF EXISTS (
        SELECT FROM new_rows n
        JOIN public.crf_lock l ON l.study_id = n.study_id AND l.lifted_in IS NULL AND l.form_oid = ''
        WHERE (l.subject_id IS NULL OR l.subject_id = n.subject_id)
            AND (l.event_id IS NULL OR l.event_id = n.id)
            AND (l.site_id IS NULL
                OR l.site_id = (SELECT s.site_id FROM public.sites_subject s WHERE s.id = n.subject_id))
    ) AND NOT audit.is_erasing() THEN
        RAISE EXCEPTION 'the visit is locked' USING ERRCODE = 'PS006';
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION audit.close_path(), audit.refuse_locked_form(), audit.refuse_locked_event(),
    audit.lock_key(uuid) FROM PUBLIC;

CREATE TRIGGER lock_close_path BEFORE INSERT ON public.crf_lock
FOR EACH ROW EXECUTE FUNCTION audit.close_path();
CREATE TRIGGER lock_path_insert AFTER INSERT ON public.crf_formdata REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_locked_form();
CREATE TRIGGER lock_path_update AFTER UPDATE ON public.crf_formdata REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_locked_form();
CREATE TRIGGER lock_path_insert AFTER INSERT ON public.crf_studyevent REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_locked_event();
CREATE TRIGGER lock_path_update AFTER UPDATE ON public.crf_studyevent REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_locked_event();
CREATE INDEX lock_standing ON public.crf_lock (study_id) WHERE lifted_in IS NULL;
