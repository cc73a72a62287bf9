-- Recruitment is counted as it happens, so that a page about 100,000 participants reads no more than one about 200.
-- What is counted, and the one place that says so: `randomization_recounted` counts everything anew, and the triggers
-- below add and take away what it would. Days are those of the site.
--   included   by the day of the randomisation; one from the fallback list by that day, not by that of its entry
--   screened   by the month, with outcome and reason: lines of the screening log
--   failed     screen failures after the consent
--   consented  by the month of the first consent that stands
CREATE VIEW public.randomization_recounted AS
SELECT a.site_id, 'included' AS kind, (coalesce(a.happened_at, a.at) AT TIME ZONE p.timezone)::date AS day, '' AS code,
    count(*)::integer AS n
FROM public.randomization_allocation a JOIN public.sites_site p ON p.id = a.site_id GROUP BY 1, 3
UNION ALL
SELECT site_id, 'screened', screened_in, outcome || '|' || reason_code, count(*)::integer
FROM public.sites_screeningentry GROUP BY 1, 3, 4
UNION ALL
SELECT site_id, 'failed', NULL, '', count(*)::integer
FROM public.sites_subject WHERE status = 'screen_failure' GROUP BY 1
UNION ALL
SELECT s.site_id, 'consented', date_trunc('month', f.at AT TIME ZONE p.timezone)::date, '', count(*)::integer
FROM public.sites_subject s JOIN public.sites_site p ON p.id = s.site_id
JOIN LATERAL (
    SELECT min(c.signed_at) AS at FROM public.sites_consent c
    WHERE c.subject_id = s.id AND NOT EXISTS (SELECT FROM public.sites_consent n WHERE n.corrects_id = c.id)
) f ON f.at IS NOT NULL
GROUP BY 1, 3;

CREATE FUNCTION randomization_count(p_site uuid, p_kind text, p_day date, p_code text, p_by integer)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO public.randomization_tally AS t (site_id, kind, day, code, n)
    VALUES (p_site, p_kind, p_day, p_code, p_by)
    ON CONFLICT (site_id, kind, day, code) DO UPDATE SET n = t.n + p_by
$$;

CREATE FUNCTION randomization_count_included() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM public.randomization_count(NEW.site_id, 'included',
        (SELECT (coalesce(NEW.happened_at, NEW.at) AT TIME ZONE p.timezone)::date
        FROM public.sites_site p WHERE p.id = NEW.site_id), '', 1);
    RETURN NULL;
END $$;

CREATE FUNCTION randomization_count_screened() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM public.randomization_count(OLD.site_id, 'screened', OLD.screened_in,
            OLD.outcome || '|' || OLD.reason_code, -1);
    END IF;
    PERFORM public.randomization_count(NEW.site_id, 'screened', NEW.screened_in,
        NEW.outcome || '|' || NEW.reason_code, 1);
    RETURN NULL;
END $$;

CREATE FUNCTION randomization_count_failed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'screen_failure' THEN
        PERFORM public.randomization_count(OLD.site_id, 'failed', NULL, '', -1);
    END IF;
    IF NEW.status = 'screen_failure' THEN
        PERFORM public.randomization_count(NEW.site_id, 'failed', NULL, '', 1);
    END IF;
    RETURN NULL;
END $$;

-- The month of the first consent that stands may move when one is corrected: it is asked with and without the new rows.
CREATE FUNCTION randomization_count_consented() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM public.randomization_count(m.site_id, 'consented', m.month, '', m.by)
    FROM (
        SELECT s.site_id, date_trunc('month', x.at AT TIME ZONE p.timezone)::date AS month, sum(x.by)::integer AS by
        FROM (SELECT DISTINCT subject_id FROM new_rows) w
        JOIN public.sites_subject s ON s.id = w.subject_id JOIN public.sites_site p ON p.id = s.site_id
        CROSS JOIN LATERAL (
            SELECT min(c.signed_at) AS at, 1 AS by FROM public.sites_consent c WHERE c.subject_id = s.id
                AND NOT EXISTS (SELECT FROM public.sites_consent n WHERE n.corrects_id = c.id)
            UNION ALL
            SELECT min(c.signed_at), -1 FROM public.sites_consent c WHERE c.subject_id = s.id
                AND NOT EXISTS (SELECT FROM new_rows n WHERE n.id = c.id)
                AND NOT EXISTS (SELECT FROM public.sites_consent n WHERE n.corrects_id = c.id
                    AND NOT EXISTS (SELECT FROM new_rows r WHERE r.id = n.id))
        ) x
        WHERE x.at IS NOT NULL
        GROUP BY 1, 2 HAVING sum(x.by) <> 0
    ) m;
    RETURN NULL;
END $$;

REVOKE EXECUTE ON FUNCTION randomization_count(uuid, text, date, text, integer), randomization_count_included(),
    randomization_count_screened(), randomization_count_failed(), randomization_count_consented() FROM PUBLIC;

CREATE TRIGGER tally AFTER INSERT ON public.randomization_allocation
FOR EACH ROW EXECUTE FUNCTION randomization_count_included();
CREATE TRIGGER tally_insert AFTER INSERT ON public.sites_screeningentry
FOR EACH ROW EXECUTE FUNCTION randomization_count_screened();
CREATE TRIGGER tally_update AFTER UPDATE ON public.sites_screeningentry
FOR EACH ROW WHEN ((OLD.site_id, OLD.screened_in, OLD.outcome, OLD.reason_code)
    IS DISTINCT FROM (NEW.site_id, NEW.screened_in, NEW.outcome, NEW.reason_code))
EXECUTE FUNCTION randomization_count_screened();
CREATE TRIGGER tally_insert AFTER INSERT ON public.sites_subject
FOR EACH ROW WHEN (NEW.status = 'screen_failure') EXECUTE FUNCTION randomization_count_failed();
CREATE TRIGGER tally_update AFTER UPDATE ON public.sites_subject
FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION randomization_count_failed();
CREATE TRIGGER tally AFTER INSERT ON public.sites_consent
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION randomization_count_consented();

INSERT INTO public.randomization_tally (site_id, kind, day, code, n)
SELECT site_id, kind, day, code, n FROM public.randomization_recounted;
