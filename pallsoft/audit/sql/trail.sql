-- The triggers of regulated tables. Statement triggers over transition tables: a bulk change costs one pass, and create,
-- update, MERGE, COPY, ON CONFLICT are all caught. Each sees the session in UTC, so that to_jsonb spells
-- timestamps the same everywhere. Arguments of both: parts, excluded columns.

CREATE FUNCTION audit.record_insert() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    v_excluded text[] := TG_ARGV[1];
    v_change_set uuid;
    v_study uuid;
    v_foreign bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) THEN
        RETURN NULL;
    END IF;
    v_change_set := audit.current_change_set();
    SELECT c.study_id INTO v_study FROM audit.change_set c WHERE c.id = v_change_set;
    WITH written AS (
        INSERT INTO audit.baseline (change_set, tbl, row_id, doc, salt, digest)
        SELECT v_change_set, TG_TABLE_NAME, r.id, r.doc, r.salt,
            audit.digest_of(r.salt, v_change_set, TG_TABLE_NAME, r.id, r.doc)
        FROM (SELECT n.id, to_jsonb(n) - v_excluded AS doc, gen_random_uuid() AS salt FROM new_rows n) r
        RETURNING doc
    )
    SELECT count(*) INTO v_foreign FROM written w
    WHERE w.doc ->> 'created_in' IS DISTINCT FROM v_change_set::text
        OR (w.doc ? 'study_id' AND w.doc ->> 'study_id' IS DISTINCT FROM v_study::text);
    IF v_foreign > 0 THEN
        RAISE EXCEPTION 'a row of % belongs to another change set or study', TG_TABLE_NAME USING ERRCODE = 'PS005';
    END IF;
    RETURN NULL;
END $$;

-- Further arguments: columns free of a reason; columns whose very filling needs one (an end, such as removed_in);
-- keys inside a mark that the system sets by itself.
-- (One plan that fits every change: else the statement of the trail is planned anew at each one, which takes longer than
-- to run it. Without nested loops: a plan made at a save of one form compares, in a bulk change, each row with all others.)
CREATE FUNCTION audit.record_update() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET plan_cache_mode = 'force_generic_plan'
SET enable_nestloop = off AS $$
DECLARE
    v_parts text[] := TG_ARGV[0];
    v_untrailed text[] := v_parts || TG_ARGV[1]::text[];
    v_free text[] := TG_ARGV[2];
    v_ends text[] := TG_ARGV[3];
    v_own_keys text[] := TG_ARGV[4];
    v_excluded text[] := TG_ARGV[1];
    v_change_set uuid;
    v_study uuid;
    v_reason text;
    v_unexplained text;
    v_foreign boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM old_rows) THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM old_rows o WHERE NOT EXISTS (
        SELECT FROM new_rows n WHERE n.id = o.id AND n.created_in = o.created_in)
    ) THEN
        RAISE EXCEPTION 'the key or the origin of a row of % is never changed', TG_TABLE_NAME USING ERRCODE = 'PS003';
    END IF;
    IF NOT EXISTS (
        SELECT FROM old_rows o JOIN new_rows n ON n.id = o.id
        WHERE to_jsonb(o) - v_excluded IS DISTINCT FROM to_jsonb(n) - v_excluded
    ) THEN
        RETURN NULL;
    END IF;
    v_change_set := audit.current_change_set();
    SELECT c.study_id, c.reason INTO v_study, v_reason FROM audit.change_set c WHERE c.id = v_change_set;
    WITH pairs AS MATERIALIZED (
        SELECT o.id, to_jsonb(o) AS before, to_jsonb(n) AS after FROM old_rows o JOIN new_rows n ON n.id = o.id
    ), changes AS MATERIALIZED (
        SELECT p.id, c.part, c.item, nullif(c.old, 'null') AS old, nullif(c.new, 'null') AS new,
            gen_random_uuid() AS salt
        FROM pairs p CROSS JOIN LATERAL (
            SELECT '' AS part, o.key AS item, o.value AS old, n.value AS new
            FROM jsonb_each(p.before - v_untrailed) o JOIN jsonb_each(p.after) n ON n.key = o.key
            WHERE o.value <> n.value
            UNION ALL
            SELECT d.part, k.item, k.old, k.new
            FROM unnest(v_parts) AS d (part) CROSS JOIN LATERAL (
                SELECT coalesce(o.key, n.key) AS item, o.value AS old, n.value AS new
                FROM jsonb_each(p.before -> d.part) o FULL JOIN jsonb_each(p.after -> d.part) n ON n.key = o.key
                WHERE o.value IS DISTINCT FROM n.value
            ) k
        ) c
    ), written AS (
        INSERT INTO audit.item_change (change_set, tbl, row_id, part, item, old, new, salt, digest)
        SELECT v_change_set, TG_TABLE_NAME, c.id, c.part, c.item, c.old, c.new, c.salt, audit.digest_of(
            c.salt, v_change_set, TG_TABLE_NAME, c.id, c.part, c.item, c.old, c.new)
        FROM changes c ORDER BY c.id, c.part, c.item
    )
    SELECT
        (SELECT min(c.item) FROM changes c
            WHERE audit.needs_reason(c.part, c.item, c.old, c.new, v_free, v_ends, v_own_keys)),
        (SELECT bool_or(p.after ? 'study_id' AND (p.before ->> 'study_id' IS DISTINCT FROM v_study::text
            OR p.after ->> 'study_id' IS DISTINCT FROM v_study::text)) FROM pairs p)
    INTO v_unexplained, v_foreign;
    IF v_foreign THEN
        RAISE EXCEPTION 'a row of % belongs to another study', TG_TABLE_NAME USING ERRCODE = 'PS005';
    END IF;
    IF v_unexplained IS NOT NULL AND v_reason = '' THEN
        RAISE EXCEPTION 'a stored value of % changes without a reason', TG_TABLE_NAME
            USING ERRCODE = 'PS002', DETAIL = v_unexplained;
    END IF;
    RETURN NULL;
END $$;

-- Filling an empty item needs no reason; changing or removing what was stored does (AUD-04). Keys that the system
-- adds to a mark by itself neither need one nor hide one.
CREATE FUNCTION audit.needs_reason(
    p_part text, p_item text, p_old jsonb, p_new jsonb, p_free text[], p_ends text[], p_own_keys text[])
RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN p_part = '' AND p_item = ANY (p_ends) THEN true
    WHEN p_part = '' AND p_item = ANY (p_free) THEN false
    WHEN coalesce(p_old, '""') = '""' THEN false
    WHEN jsonb_typeof(p_old) = 'object' THEN NOT coalesce(p_new, '{}') @> (p_old - p_own_keys)
        OR (p_new IS NULL AND p_old - p_own_keys <> '{}')
    ELSE true
END;

-- Rows of insert-only tables, and columns that are written once (the place of a form; the end of a signature, a lock, a
-- form). A column that names the change set of the end can only name the present one. Third argument: columns that may
-- be emptied again (a request that is taken back).
CREATE FUNCTION audit.refuse_update() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_insert_only boolean := TG_ARGV[0];
    v_once text[] := TG_ARGV[1];
    v_taken_back text[] := TG_ARGV[2];
    v_before jsonb := to_jsonb(OLD);
    v_after jsonb := to_jsonb(NEW);
BEGIN
    IF v_insert_only AND v_before - v_once <> v_after - v_once AND NOT audit.is_erasing() THEN
        RAISE EXCEPTION 'a row of % is never changed', TG_TABLE_NAME USING ERRCODE = 'PS004';
    END IF;
    IF EXISTS (
        SELECT FROM unnest(v_once) AS o (item)
        WHERE v_before -> o.item <> v_after -> o.item
            AND NOT (o.item = ANY (v_taken_back) AND v_after -> o.item = 'null')
            AND (v_before -> o.item <> 'null'
                OR (o.item LIKE '%\_in' AND v_after ->> o.item <> audit.current_change_set()::text))
    ) THEN
        RAISE EXCEPTION 'a column of % that is written once was to change', TG_TABLE_NAME USING ERRCODE = 'PS004';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'PS004';
END $$;

-- Whoever may execute a trigger function can hang it on a table of his own and forge rows through it.
REVOKE EXECUTE ON FUNCTION audit.record_insert(), audit.record_update(), audit.refuse_update(), audit.refuse(),
    audit.needs_reason(text, text, jsonb, jsonb, text[], text[], text[]) FROM PUBLIC;
