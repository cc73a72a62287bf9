-- The database is the last reviewer of every value (DAT-07): a document that the published definition does not allow is
-- refused whoever sends it. The message names the item and the rule, never the value: messages end up in logs.
-- Lexical forms are those of ODM (W3C XML Schema), in the one spelling that PALLSOFT stores. (Triggers of one event fire in the
-- order of their names: check_values, lock_path, trail, void_signatures.)

CREATE FUNCTION audit.is_date(p text) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN CASE WHEN p ~ '^(1[89]|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' THEN
    right(p, 2)::int <= extract(day FROM make_date(left(p, 4)::int, substr(p, 6, 2)::int, 1) + interval '1 month - 1 day')
    ELSE false
END;

-- The rule that a text breaks as a value of an item, or NULL. (Bodies as text: they would else pin the columns' types.)
CREATE FUNCTION audit.broken_rule(p text, c public.trials_itemcolumn) RETURNS text LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN p = '' THEN 'empty'
    WHEN c.kind = 'text' AND p ~ '[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]' THEN 'control character'
    WHEN c.kind = 'text' AND length(p) > c.length THEN 'length'
    WHEN c.kind IN ('integer', 'nrs') AND p !~ '^(0|-?[1-9][0-9]{0,17})$' THEN 'lexical form'
    WHEN c.kind = 'decimal' AND p !~ '^-?(0|[1-9][0-9]{0,13})(\.[0-9]{1,6})?$' THEN 'lexical form'
    WHEN c.kind = 'decimal' AND length(split_part(p, '.', 2)) > c.decimals THEN 'decimals'
    WHEN c.kind IN ('integer', 'decimal', 'nrs') AND (p::numeric < c.min OR p::numeric > c.max) THEN 'range'
    WHEN c.kind = 'nrs' AND p::numeric NOT BETWEEN 0 AND 10 THEN 'range'
    WHEN c.kind = 'date' AND NOT audit.is_date(p) THEN 'lexical form'
    WHEN c.kind = 'partial_date' AND NOT audit.is_date(rpad(p, 10, substr('1800-01-01', length(p) + 1)))
        OR c.kind = 'partial_date' AND length(p) NOT IN (4, 7, 10) THEN 'lexical form'
    WHEN c.kind = 'time' AND p !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$' THEN 'lexical form'
    WHEN c.kind = 'datetime' AND NOT (audit.is_date(left(p, 10))
        AND substr(p, 11) ~ '^T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$') THEN 'lexical form'
    WHEN c.kind = 'yesno' AND p NOT IN ('Y', 'N') THEN 'code'
    WHEN c.kind = 'code' AND NOT p = ANY (coalesce(c.codes, '{}')) THEN 'code'
    WHEN c.kind NOT IN ('text', 'integer', 'nrs', 'decimal', 'date', 'partial_date', 'time', 'datetime', 'yesno', 'code')
        THEN 'kind'
END $$;

-- The rule that a mark breaks, or NULL. NA is allowed everywhere: it is stored by rule for what does not apply.
CREATE FUNCTION audit.broken_mark_rule(p jsonb, p_has_value boolean, c public.trials_itemcolumn) RETURNS text
LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN jsonb_typeof(p) <> 'object' OR p = '{}' THEN 'mark'
    WHEN p - '{missing,by_rule,entered,unit,set_aside,set_aside_missing,check,checks}'::text[] <> '{}' THEN 'mark'
    WHEN jsonb_typeof(p -> 'checks') <> 'object' THEN 'mark'
    WHEN EXISTS (SELECT FROM jsonb_each((p - 'checks') || coalesce(p -> 'checks', '{}')) m
        WHERE jsonb_typeof(m.value) <> 'string') THEN 'mark'
    WHEN p ? 'missing' AND p_has_value THEN 'value and missing code'
    WHEN p ? 'missing' AND NOT (p ->> 'missing' = 'NA' OR p ->> 'missing' = ANY (c.missing_codes)) THEN 'missing code'
END $$;

CREATE FUNCTION audit.check_values() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_objects boolean;
    v_marked boolean;
    v_keys bigint;
    v_known bigint;
    v_broken text;  -- "ITEM: rule"
BEGIN
    SELECT bool_and(jsonb_typeof(n.data) = 'object' AND jsonb_typeof(n.marks) = 'object'), bool_or(n.marks <> '{}'),
        sum(CASE jsonb_typeof(n.data) WHEN 'object' THEN (SELECT count(*) FROM jsonb_object_keys(n.data)) END)
    INTO v_objects, v_marked, v_keys FROM new_rows n;
    IF NOT v_objects THEN
        v_broken := 'document: object';
    ELSE  -- led by the items of the form: one look into the index, not one for each key
        SELECT count(*), min(c.item_oid || ': ' || CASE
            WHEN jsonb_typeof(n.data -> c.item_oid) <> 'string' THEN 'text'
            ELSE audit.broken_rule(n.data ->> c.item_oid, c) END)
        INTO v_known, v_broken
        FROM new_rows n JOIN public.trials_itemcolumn c
            ON c.version_id = n.definition_version_id AND c.form_oid = n.form_oid AND n.data ? c.item_oid;
    END IF;
    IF v_broken IS NULL AND v_known < v_keys THEN  -- the other keys: unknown, or repeats of an imported group
        SELECT min(d.key || ': ' || CASE
            WHEN c.id IS NULL OR d.key !~ '^[^#]+(#[1-9][0-9]{0,5})?$' THEN 'unknown item'
            WHEN jsonb_typeof(d.value) <> 'string' THEN 'text'
            ELSE audit.broken_rule(d.value #>> '{}', c) END)
        INTO v_broken
        FROM new_rows n CROSS JOIN LATERAL jsonb_each(n.data) d
        LEFT JOIN public.trials_itemcolumn c ON c.version_id = n.definition_version_id AND c.form_oid = n.form_oid
            AND c.item_oid = split_part(d.key, '#', 1);
    END IF;
    IF v_broken IS NULL AND v_marked THEN
        SELECT min(m.key || ': ' || CASE
            WHEN c.id IS NULL OR m.key !~ '^[^#]+(#[1-9][0-9]{0,5})?$' THEN 'unknown item'
            ELSE audit.broken_mark_rule(m.value, n.data ? m.key, c) END)
        INTO v_broken
        FROM new_rows n CROSS JOIN LATERAL jsonb_each(n.marks) m
        LEFT JOIN public.trials_itemcolumn c ON c.version_id = n.definition_version_id AND c.form_oid = n.form_oid
            AND c.item_oid = split_part(m.key, '#', 1);
    END IF;
    IF v_broken IS NOT NULL THEN
        RAISE EXCEPTION 'refused %', v_broken USING ERRCODE = 'PS007', DETAIL = split_part(v_broken, ': ', 1);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION audit.check_values(), audit.is_date(text), audit.broken_rule(text, public.trials_itemcolumn),
    audit.broken_mark_rule(jsonb, boolean, public.trials_itemcolumn) FROM PUBLIC;

CREATE TRIGGER check_values_insert AFTER INSERT ON public.crf_formdata REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.check_values();
CREATE TRIGGER check_values_update AFTER UPDATE ON public.crf_formdata REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit.check_values();
