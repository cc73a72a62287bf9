-- A signature stands for the values it was given for (21 CFR 11.70): when anything that it covers changes, it is void
-- from that change set on. Values, their version and their place count, not the state columns around them.
--   form (form_data_id set): the form itself and every form that its manifest names;
--   visit (event_id alone):  besides, the date and the "not done" of the visit, and a form that comes to it;
--   casebook (neither):      the same of all visits of the subject.
CREATE FUNCTION audit.void_signatures() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Also an update of no row fires the triggers of its table.
    IF EXISTS (
        SELECT FROM new_rows n JOIN public.crf_signature s ON s.subject_id = n.subject_id WHERE s.voided_in IS NULL
    ) THEN
        UPDATE public.crf_signature s SET voided_in = audit.current_change_set()
        FROM old_rows o JOIN new_rows n ON n.id = o.id
        WHERE s.subject_id = n.subject_id AND s.voided_in IS NULL
            AND (o.data, o.marks, o.removed_in, o.observed_at, o.definition_version_id, o.version)
                IS DISTINCT FROM (n.data, n.marks, n.removed_in, n.observed_at, n.definition_version_id, n.version)
            AND (s.form_data_id = n.id
                OR s.manifest @> jsonb_build_array(jsonb_build_object('form_data', n.id)));
    END IF;
    RETURN NULL;
END $$;

-- A form that is new to a signed visit was not there to be seen.
CREATE FUNCTION audit.void_signatures_of_form() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows n JOIN public.crf_signature s ON s.subject_id = n.subject_id
        WHERE s.voided_in IS NULL AND s.form_data_id IS NULL)
    THEN
        UPDATE public.crf_signature s SET voided_in = audit.current_change_set()
        FROM new_rows n
        WHERE s.subject_id = n.subject_id AND s.voided_in IS NULL AND s.form_data_id IS NULL
            AND (s.event_id IS NULL OR s.event_id = n.event_id);
    END IF;
    RETURN NULL;
END $$;

-- When a visit took place, and that it did not, are part of what is signed; its plan is not.
CREATE FUNCTION audit.void_signatures_of_event() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM old_rows o JOIN new_rows n ON n.id = o.id
        WHERE (o.happened_on, o.not_done_reason) IS DISTINCT FROM (n.happened_on, n.not_done_reason)
    ) THEN
        UPDATE public.crf_signature s SET voided_in = audit.current_change_set()
        FROM old_rows o JOIN new_rows n ON n.id = o.id
        WHERE s.subject_id = n.subject_id AND s.voided_in IS NULL AND s.form_data_id IS NULL
            AND (o.happened_on, o.not_done_reason) IS DISTINCT FROM (n.happened_on, n.not_done_reason)
            AND (s.event_id IS NULL OR s.event_id = n.id);
    END IF;
    RETURN NULL;
END $$;

-- A visit that is stored with its date or as not done: the casebook has a visit more.
CREATE FUNCTION audit.void_casebook_signatures() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows n WHERE n.happened_on IS NOT NULL OR n.not_done_reason <> '') THEN
        UPDATE public.crf_signature s SET voided_in = audit.current_change_set()
        FROM new_rows n
        WHERE s.subject_id = n.subject_id AND s.voided_in IS NULL AND s.form_data_id IS NULL AND s.event_id IS NULL
            AND (n.happened_on IS NOT NULL OR n.not_done_reason <> '');
    END IF;
    RETURN NULL;
END $$;

-- Nobody signs in another's name (S19), nor for values that are not the present ones of that very subject (SIG-03).
CREATE FUNCTION audit.check_signature() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM audit.change_set c WHERE c.id = audit.current_change_set() AND c.actor_id = NEW.signed_by_id
    ) THEN
        RAISE EXCEPTION 'a signature is given by the person who acts' USING ERRCODE = 'PS010';
    END IF;
    IF NEW.voided_in IS NOT NULL OR jsonb_typeof(NEW.manifest) <> 'array' OR EXISTS (
        SELECT FROM jsonb_array_elements(NEW.manifest) AS m (part)
        WHERE m.part ? 'form_data' AND NOT EXISTS (
            SELECT FROM public.crf_formdata f
            WHERE f.id = (m.part ->> 'form_data')::uuid AND f.subject_id = NEW.subject_id AND f.removed_in IS NULL
                AND f.version = (m.part ->> 'version')::integer)
    ) THEN
        RAISE EXCEPTION 'a signature names the forms of its subject as they stand' USING ERRCODE = 'PS010';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION audit.void_signatures(), audit.void_signatures_of_form(), audit.void_signatures_of_event(),
    audit.void_casebook_signatures(), audit.check_signature() FROM PUBLIC;

CREATE TRIGGER void_signatures AFTER UPDATE ON public.crf_formdata
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.void_signatures();
CREATE TRIGGER void_signatures_of_form AFTER INSERT ON public.crf_formdata REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.void_signatures_of_form();
CREATE TRIGGER void_signatures_of_event AFTER UPDATE ON public.crf_studyevent
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.void_signatures_of_event();
CREATE TRIGGER void_casebook_signatures AFTER INSERT ON public.crf_studyevent REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.void_casebook_signatures();
CREATE TRIGGER check_signature BEFORE INSERT ON public.crf_signature
FOR EACH ROW EXECUTE FUNCTION audit.check_signature();
