-- What masking and erasure leave of a row of the trail, and erasure of the reason of an act. It keeps the digest of what it said, which the chain holds, and
-- gets a new salt: without the old one nothing is guessed back. The digest of what is left stands in a note of the same
-- act, so that no other row can be dressed up as emptied, and none altered afterwards.
CREATE FUNCTION audit.note_left(p_what text, p_id bigint, p_row uuid, p_left bytea) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_change_set uuid := audit.current_change_set();
    v_salt uuid := gen_random_uuid();
    v_left jsonb := to_jsonb(encode(p_left, 'hex'));
BEGIN
    INSERT INTO audit.item_change (change_set, tbl, row_id, part, item, old, new, salt, digest)
    VALUES (v_change_set, p_what, p_row, '', p_id::text, NULL, v_left, v_salt,
        audit.digest_of(v_salt, v_change_set, p_what, p_row, '', p_id::text, NULL, v_left));
END $$;

CREATE FUNCTION audit.is_left(p_what text, p_id bigint, p_row uuid, p_masked_in uuid, p_left bytea) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM audit.item_change n
        WHERE n.change_set = p_masked_in AND n.tbl = p_what AND n.row_id = p_row AND n.item = p_id::text
            AND n.new = to_jsonb(encode(p_left, 'hex')))
$$;

-- A row of the trail as this act leaves it.
CREATE FUNCTION audit.leave(p audit.baseline, p_doc jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    p.doc := p_doc;
    p.salt := gen_random_uuid();
    UPDATE audit.baseline b SET doc = p.doc, salt = p.salt, masked_in = audit.current_change_set() WHERE b.id = p.id;
    PERFORM audit.note_left('audit.baseline', p.id, p.row_id,
        audit.digest_of(p.salt, p.change_set, p.tbl, p.row_id, p.doc));
END $$;

CREATE FUNCTION audit.leave(p audit.item_change, p_old jsonb, p_new jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    p.old := p_old;
    p.new := p_new;
    p.salt := gen_random_uuid();
    UPDATE audit.item_change i SET old = p.old, new = p.new, salt = p.salt, masked_in = audit.current_change_set()
    WHERE i.id = p.id;
    PERFORM audit.note_left('audit.item_change', p.id, p.row_id,
        audit.digest_of(p.salt, p.change_set, p.tbl, p.row_id, p.part, p.item, p.old, p.new));
END $$;

CREATE FUNCTION audit.leave(p audit.change_set) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    p.reason := '';
    p.salt := gen_random_uuid();
    UPDATE audit.change_set c SET reason = p.reason, salt = p.salt, masked_in = audit.current_change_set()
    WHERE c.id = p.id;
    PERFORM audit.note_left('audit.change_set', 0, p.id, audit.digest_of(p));
END $$;

-- Requests that were answered about a subject keep no hash of what they said: it could be guessed back. The same request
-- again is then a conflict, never a second change.
CREATE FUNCTION audit.forget_requests(p_subject uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.crf_request r SET body_sha256 = ''
    WHERE r.response ->> 'form_id' IN (SELECT f.id::text FROM public.crf_formdata f WHERE f.subject_id = p_subject)
        OR r.response ->> 'query' IN (SELECT q.id::text FROM public.crf_query q WHERE q.subject_id = p_subject);
END $$;

REVOKE EXECUTE ON FUNCTION audit.note_left(text, bigint, uuid, bytea), audit.leave(audit.baseline, jsonb),
    audit.leave(audit.item_change, jsonb, jsonb), audit.leave(audit.change_set), audit.is_left(text, bigint, uuid, uuid, bytea),
    audit.forget_requests(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.is_left(text, bigint, uuid, uuid, bytea) TO pallsoft_app;
