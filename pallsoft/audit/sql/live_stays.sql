-- What was recorded of real patients never counts as practice: a study goes live once, and for ever.
CREATE FUNCTION audit.keep_live() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a live study never becomes a test again' USING ERRCODE = 'PS004';
END $$;
REVOKE EXECUTE ON FUNCTION audit.keep_live() FROM PUBLIC;

CREATE TRIGGER keep_live BEFORE UPDATE ON public.trials_study FOR EACH ROW
WHEN (OLD.mode = 'live' AND NEW.mode <> 'live') EXECUTE FUNCTION audit.keep_live();
