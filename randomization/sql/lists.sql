-- Bringing a list in, and proving later that it is still the one that was brought in.

-- A list arrives now and unconfirmed, whatever is sent: one that came with an earlier time would be used before the
-- lists that are there, and its maker would know the next arms.
CREATE FUNCTION sealed.arrive() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.imported_at := clock_timestamp();
    NEW.confirmed_by_id := NULL;
    NEW.confirmed_at := NULL;
    RETURN NEW;
END $$;

CREATE TRIGGER arrive BEFORE INSERT ON public.randomization_scheme FOR EACH ROW EXECUTE FUNCTION sealed.arrive();

-- Store the slots of an imported, not yet confirmed list. The database itself compares the text with the commitment, so
-- what is stored is what was committed to. Returns the number of slots.
CREATE FUNCTION public.randomization_import(p_scheme uuid, p_content text) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_body integer := strpos(p_content, E'\n---\n') + 5;
BEGIN
    PERFORM FROM public.randomization_scheme s WHERE s.id = p_scheme AND s.confirmed_at IS NULL
        AND s.list_sha256 = encode(sha256(convert_to(p_content, 'UTF8')), 'hex');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the text does not fit the commitment, or the list is confirmed' USING ERRCODE = 'PR007';
    END IF;
    INSERT INTO sealed.list (scheme_id, header) VALUES (p_scheme, left(p_content, v_body - 1));
    INSERT INTO sealed.slot (stratum_id, seq, arm)
    SELECT t.id, split_part(l.line, ' ', 2)::integer, split_part(l.line, ' ', 3)
    FROM string_to_table(substr(p_content, v_body), E'\n') AS l (line)
    JOIN public.randomization_stratum t ON t.scheme_id = p_scheme AND t.code = split_part(l.line, ' ', 1);
    IF sealed.sha256_of(p_scheme) <> (SELECT s.list_sha256 FROM public.randomization_scheme s WHERE s.id = p_scheme) THEN
        RAISE EXCEPTION 'the slots do not give the list again' USING ERRCODE = 'PR007';
    END IF;
    RETURN (SELECT count(*) FROM sealed.slot o JOIN public.randomization_stratum t ON t.id = o.stratum_id
        WHERE t.scheme_id = p_scheme);
END $$;

-- The SHA-256 of the list file made again from the stored header and slots.
CREATE FUNCTION sealed.sha256_of(p_scheme uuid) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT encode(sha256(convert_to(l.header || coalesce(string_agg(
        t.code || ' ' || o.seq || ' ' || o.arm || E'\n', '' ORDER BY array_position(h.strata, t.code), o.seq), ''
    ), 'UTF8')), 'hex')
    FROM sealed.list l
    CROSS JOIN LATERAL (SELECT string_to_array(substring(l.header FROM '\nstrata: ([^\n]*)\n'), ' ') AS strata) h
    LEFT JOIN public.randomization_stratum t ON t.scheme_id = l.scheme_id
    LEFT JOIN sealed.slot o ON o.stratum_id = t.id
    WHERE l.scheme_id = p_scheme GROUP BY l.header, h.strata
$$;

-- What is wrong with a list and its allocations: one row per finding, none when all is well. `subject` is empty for
-- the list itself. Nothing of what is to come is told, so the application may ask.
CREATE FUNCTION public.randomization_problems(p_scheme uuid) RETURNS TABLE (problem text, subject text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH allocations AS (
        SELECT a.*, s.number, e.n AS sealed_as, o.arm AS arm_of_slot,
            row_number() OVER in_order AS place, max(e.n) OVER before AS sealed_before
        FROM public.randomization_allocation a
        JOIN public.randomization_stratum t ON t.id = a.stratum_id
        JOIN public.sites_subject s ON s.id = a.subject_id
        LEFT JOIN sealed.slot o ON o.stratum_id = a.stratum_id AND o.seq = a.seq
        LEFT JOIN audit.seal e ON e.change_set = a.created_in
        WHERE t.scheme_id = p_scheme
        WINDOW in_order AS (PARTITION BY a.stratum_id ORDER BY a.seq),
            before AS (PARTITION BY a.stratum_id ORDER BY a.seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )
    SELECT 'list', '' FROM public.randomization_scheme s
    WHERE s.id = p_scheme AND s.list_sha256 IS DISTINCT FROM sealed.sha256_of(s.id)
    UNION ALL
    SELECT 'arm', a.number FROM allocations a WHERE a.arm IS DISTINCT FROM a.arm_of_slot
    UNION ALL
    SELECT 'gap', a.number FROM allocations a WHERE a.seq <> a.place
    UNION ALL
    SELECT 'order', a.number FROM allocations a WHERE a.sealed_as < a.sealed_before
    UNION ALL
    SELECT 'unconfirmed', a.number FROM allocations a
    JOIN public.randomization_scheme s ON s.id = p_scheme AND s.confirmed_at IS NULL
$$;

REVOKE EXECUTE ON FUNCTION public.randomization_import(uuid, text), sealed.sha256_of(uuid), sealed.arrive(),
    public.randomization_problems(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.randomization_import(uuid, text), public.randomization_problems(uuid) TO pallsoft_app;
