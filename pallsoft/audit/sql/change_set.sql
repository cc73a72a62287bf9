-- Opening and finding the change set: the only author that the triggers accept.
CREATE FUNCTION audit.insert_change_set(p audit.change_set) RETURNS uuid LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- After SET CONSTRAINTS ALL IMMEDIATE the seal would close this change set before its rows are in.
    SET CONSTRAINTS audit.seal DEFERRED;
    p.id := gen_random_uuid();
    p.at := clock_timestamp();
    p.db_user := session_user;
    p.xid := pg_current_xact_id();
    p.salt := gen_random_uuid();
    p.digest := audit.digest_of(p);
    INSERT INTO audit.change_set SELECT p.*;
    PERFORM set_config('audit.change_set', p.id::text, true);
    RETURN p.id;
END $$;

-- Open a change set; tell the one that was open before, so that the caller can go back to it.
CREATE FUNCTION audit.begin(
    p_study uuid, p_actor uuid, p_actor_name text, p_role text, p_site uuid, p_action text, p_reason text,
    p_request_id text, p_software_version text, OUT change_set uuid, OUT previous text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v audit.change_set;
BEGIN
    IF btrim(p_actor_name) = '' OR btrim(p_action) = '' THEN
        RAISE EXCEPTION 'a change set names who and what' USING ERRCODE = 'PS001';
    END IF;
    previous := coalesce(current_setting('audit.change_set', true), '');
    v.study_id := p_study;
    v.actor_id := p_actor;
    v.actor_name := p_actor_name;
    v.role := p_role;
    v.site_id := p_site;
    v.action := p_action;
    v.reason := btrim(p_reason);
    v.request_id := p_request_id;
    v.software_version := p_software_version;
    change_set := audit.insert_change_set(v);
END $$;

-- The open change set of this very transaction. A session setting alone proves nothing: it must name a change set
-- that this transaction wrote. One that was sealed early (SET CONSTRAINTS ALL IMMEDIATE) is followed by a twin,
-- so that no row ever slips in behind its seal.
CREATE FUNCTION audit.current_change_set() RETURNS uuid LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v audit.change_set;
BEGIN
    SELECT c.* INTO v FROM audit.change_set c
    WHERE c.id = nullif(current_setting('audit.change_set', true), '')::uuid AND c.xid = pg_current_xact_id();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no change set is open in this transaction' USING ERRCODE = 'PS001';
    END IF;
    IF EXISTS (SELECT FROM audit.seal s WHERE s.change_set = v.id) THEN
        RETURN audit.insert_change_set(v);
    END IF;
    RETURN v.id;
END $$;

REVOKE EXECUTE ON FUNCTION audit.insert_change_set(audit.change_set), audit.current_change_set(),
    audit.begin(uuid, uuid, text, text, uuid, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.current_change_set(),
    audit.begin(uuid, uuid, text, text, uuid, text, text, text, text) TO pallsoft_app;
