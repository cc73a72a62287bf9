-- The access log: written by this function alone. The database gives time and login.
CREATE FUNCTION audit.record_access(p_user uuid, p_subject uuid, p_what text, p_ok boolean, p_request_id text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO audit.access (at, user_id, subject_id, what, ok, request_id, db_user)
    VALUES (clock_timestamp(), p_user, p_subject, p_what, p_ok, p_request_id, session_user)
$$;
REVOKE EXECUTE ON FUNCTION audit.record_access(uuid, uuid, text, boolean, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.record_access(uuid, uuid, text, boolean, text) TO pallsoft_app;
