-- A mark of verification names the value that was compared with the source (DAT-13). The application hands in the digest
-- of what the monitor saw; the database compares it with what is stored, and keeps it salted: the bare hash of a 0-10
-- score, or of an identity number typed by mistake, could be guessed back. Emptying the salt erases the value for good.
CREATE FUNCTION audit.value_digest(p_row uuid, p_item text, p_kind text, p_text text) RETURNS text LANGUAGE sql STABLE
RETURN encode(sha256(convert_to(p_row::text || '/' || p_item || '/' || p_kind || '/' || p_text, 'UTF8')), 'hex');

-- An item of a form as it is shown: its value, the reason why it is missing, or nothing.
CREATE FUNCTION audit.item_digest(p_row uuid, p_item text, p_data jsonb, p_marks jsonb) RETURNS text
LANGUAGE sql STABLE
RETURN CASE
    WHEN p_data ? p_item THEN audit.value_digest(p_row, p_item, 'value', p_data ->> p_item)
    WHEN p_marks -> p_item ? 'missing'
        THEN audit.value_digest(p_row, p_item, 'missing', p_marks -> p_item ->> 'missing')
    ELSE audit.value_digest(p_row, p_item, 'empty', '')
END;

-- A signed consent as a whole. Withdrawing an option later is an event of its own; the signed page stays as it was.
CREATE FUNCTION audit.consent_digest(p_consent uuid) RETURNS text LANGUAGE sql STABLE
RETURN (
    SELECT audit.value_digest(c.id, '', 'consent', jsonb_build_array(
        c.version, to_char(c.signed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), c.language, c.informed_by_id,
        c.copy_given, c.interpreter_language, (
            SELECT jsonb_agg(jsonb_build_array(o.option, o.granted) ORDER BY o.option COLLATE "C")
            FROM public.sites_consentoption o WHERE o.consent_id = c.id))::text)
    FROM public.sites_consent c WHERE c.id = p_consent);

CREATE FUNCTION audit.salted_digest(p_salt uuid, p_digest text) RETURNS text LANGUAGE sql STABLE
RETURN encode(sha256(convert_to(p_salt::text || p_digest, 'UTF8')), 'hex');

CREATE FUNCTION audit.verify_value() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_form public.crf_formdata;
    v_present text;
    v_subject uuid;
BEGIN
    IF NEW.form_data_id IS NOT NULL THEN
        -- Shared: a save in flight ends first, and a later one finds the mark and drops it.
        SELECT * INTO v_form FROM public.crf_formdata f WHERE f.id = NEW.form_data_id AND f.removed_in IS NULL FOR SHARE;
        v_subject := v_form.subject_id;
        IF NOT EXISTS (
            SELECT FROM public.trials_itemcolumn c WHERE c.version_id = v_form.definition_version_id
                AND c.form_oid = v_form.form_oid AND c.item_oid = split_part(NEW.item_oid, '#', 1)
        ) THEN
            RAISE EXCEPTION 'the form has no item %', NEW.item_oid USING ERRCODE = 'PS005';
        END IF;
        v_present := audit.item_digest(v_form.id, NEW.item_oid, v_form.data, v_form.marks);
    ELSE
        SELECT c.subject_id INTO v_subject FROM public.sites_consent c WHERE c.id = NEW.consent_id
            AND NOT EXISTS (SELECT FROM public.sites_consent n WHERE n.corrects_id = c.id) FOR SHARE OF c;
        v_present := audit.consent_digest(NEW.consent_id);
    END IF;
    IF NEW.subject_id IS DISTINCT FROM v_subject
        OR NOT EXISTS (SELECT FROM public.sites_subject s WHERE s.id = NEW.subject_id AND s.study_id = NEW.study_id)
        OR NOT EXISTS (
            SELECT FROM audit.change_set c WHERE c.id = audit.current_change_set() AND c.actor_id = NEW.verified_by_id)
        OR (NEW.visit_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM public.crf_monitoringvisit v JOIN public.sites_subject s ON s.site_id = v.site_id
            WHERE v.id = NEW.visit_id AND s.id = NEW.subject_id))
    THEN
        RAISE EXCEPTION 'a verification names another subject, visit or person' USING ERRCODE = 'PS005';
    END IF;
    IF NEW.value_digest IS DISTINCT FROM v_present THEN
        RAISE EXCEPTION 'the value of % is not the one that was seen', NEW.item_oid
            USING ERRCODE = 'PS009', DETAIL = NEW.item_oid;
    END IF;
    NEW.salt := gen_random_uuid();
    NEW.value_digest := audit.salted_digest(NEW.salt, v_present);
    RETURN NEW;
END $$;

-- A consent that is corrected, or whose record changes, is no longer the one that was verified.
CREATE FUNCTION audit.drop_consent_verifications() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_consent uuid := CASE
        WHEN TG_TABLE_NAME = 'sites_consentoption' THEN (to_jsonb(NEW) ->> 'consent_id')::uuid
        WHEN TG_OP = 'INSERT' THEN (to_jsonb(NEW) ->> 'corrects_id')::uuid
        ELSE NEW.id
    END;
BEGIN
    UPDATE public.crf_verification v SET dropped_in = audit.current_change_set()
    WHERE v.consent_id = v_consent AND v.dropped_in IS NULL;
    RETURN NULL;
END $$;

REVOKE EXECUTE ON FUNCTION audit.value_digest(uuid, text, text, text), audit.item_digest(uuid, text, jsonb, jsonb),
    audit.consent_digest(uuid), audit.salted_digest(uuid, text), audit.verify_value(),
    audit.drop_consent_verifications() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.value_digest(uuid, text, text, text), audit.item_digest(uuid, text, jsonb, jsonb),
    audit.consent_digest(uuid), audit.salted_digest(uuid, text) TO pallsoft_app;

CREATE TRIGGER verify_value BEFORE INSERT ON public.crf_verification
FOR EACH ROW EXECUTE FUNCTION audit.verify_value();
CREATE TRIGGER drop_verifications_insert AFTER INSERT ON public.sites_consent
FOR EACH ROW WHEN (NEW.corrects_id IS NOT NULL) EXECUTE FUNCTION audit.drop_consent_verifications();
CREATE TRIGGER drop_verifications_update AFTER UPDATE ON public.sites_consent
FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION audit.drop_consent_verifications();
CREATE TRIGGER drop_verifications_insert AFTER INSERT ON public.sites_consentoption
FOR EACH ROW EXECUTE FUNCTION audit.drop_consent_verifications();
CREATE TRIGGER drop_verifications_update AFTER UPDATE ON public.sites_consentoption
FOR EACH ROW WHEN ((OLD.consent_id, OLD.option, OLD.granted) IS DISTINCT FROM (NEW.consent_id, NEW.option, NEW.granted))
EXECUTE FUNCTION audit.drop_consent_verifications();
