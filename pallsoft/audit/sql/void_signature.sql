-- A signature stands for the values it was given for (21 CFR 11.70): when a form that it names changes or is removed,
-- it is void from that change set on. Values count, not the state columns around them.
CREATE FUNCTION audit.void_signatures() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM old_rows o JOIN new_rows n ON n.id = o.id
        WHERE (o.data, o.marks, o.removed_in) IS DISTINCT FROM (n.data, n.marks, n.removed_in)
    ) THEN
        UPDATE public.crf_signature s SET voided_in = audit.current_change_set()
        FROM old_rows o JOIN new_rows n ON n.id = o.id
        WHERE s.subject_id = n.subject_id AND s.voided_in IS NULL
            AND (o.data, o.marks, o.removed_in) IS DISTINCT FROM (n.data, n.marks, n.removed_in)
            AND (s.form_data_id = n.id
                OR s.manifest @> jsonb_build_array(jsonb_build_object('form_data', n.id)));
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION audit.void_signatures() FROM PUBLIC;

CREATE TRIGGER void_signatures AFTER UPDATE ON public.crf_formdata
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.void_signatures();
