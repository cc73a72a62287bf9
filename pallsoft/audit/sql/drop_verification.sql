-- A verification stands for the value that was compared with the source (DAT-13): when the item changes or its form is
-- removed, by whatever path, the mark is dropped in that very change set.
CREATE FUNCTION audit.drop_verifications() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Also an update of no row fires the triggers of its table.
    IF EXISTS (
        SELECT FROM new_rows n JOIN public.crf_verification v ON v.form_data_id = n.id WHERE v.dropped_in IS NULL
    ) THEN
        UPDATE public.crf_verification v SET dropped_in = audit.current_change_set()
        FROM old_rows o JOIN new_rows n ON n.id = o.id
        WHERE v.form_data_id = n.id AND v.dropped_in IS NULL
            AND (n.removed_in IS NOT NULL
                OR (o.data -> v.item_oid) IS DISTINCT FROM (n.data -> v.item_oid)
                OR (o.marks -> v.item_oid -> 'missing') IS DISTINCT FROM (n.marks -> v.item_oid -> 'missing'));
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION audit.drop_verifications() FROM PUBLIC;

CREATE TRIGGER drop_verifications AFTER UPDATE ON public.crf_formdata
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.drop_verifications();
