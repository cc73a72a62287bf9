-- What the value check knows of a version's items is written together with the version: an item added later would let
-- through what the published definition does not know.
CREATE FUNCTION audit.refuse_late_columns() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_rows n JOIN public.trials_studyversion v ON v.id = n.version_id
        WHERE v.created_in <> audit.current_change_set()
    ) THEN
        RAISE EXCEPTION 'a published version gets no further item' USING ERRCODE = 'PS004';
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION audit.refuse_late_columns() FROM PUBLIC;

CREATE TRIGGER late_columns AFTER INSERT ON public.trials_itemcolumn REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_late_columns();
