-- Digests: SHA-256 over a jsonb array, whose text depends on no session setting (timestamps are spelt in UTC).
-- Each carries a salt of its own: the hash of a bare 0-10 score could be guessed back. Taking out value and
-- salt erases the value for good, while the digest stays and the chain over the digests still verifies.
-- (STABLE, as convert_to is: declared otherwise it would never be inlined.)
CREATE FUNCTION audit.digest(p_parts jsonb) RETURNS bytea LANGUAGE sql STABLE
RETURN sha256(convert_to(p_parts::text, 'UTF8'));

CREATE FUNCTION audit.digest_of(p audit.change_set) RETURNS bytea LANGUAGE sql STABLE
RETURN audit.digest(jsonb_build_array(
    p.salt, p.id, p.study_id, to_char(p.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), p.actor_id, p.actor_name,
    p.role, p.site_id, p.action, p.reason, p.request_id, p.software_version, p.db_user));

CREATE FUNCTION audit.digest_of(p_salt uuid, p_change_set uuid, p_tbl text, p_row_id uuid, p_doc jsonb)
RETURNS bytea LANGUAGE sql STABLE
RETURN audit.digest(jsonb_build_array(p_salt, p_change_set, p_tbl, p_row_id, p_doc));

CREATE FUNCTION audit.digest_of(
    p_salt uuid, p_change_set uuid, p_tbl text, p_row_id uuid, p_part text, p_item text, p_old jsonb, p_new jsonb)
RETURNS bytea LANGUAGE sql STABLE
RETURN audit.digest(jsonb_build_array(p_salt, p_change_set, p_tbl, p_row_id, p_part, p_item, p_old, p_new));

-- What a link says of its change set: the digests of all its trail rows, in the order they were written. (plpgsql keeps
-- the plan; it runs at every commit.)
CREATE FUNCTION audit.body_of(p_change_set uuid) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN sha256(
        (SELECT c.digest FROM audit.change_set c WHERE c.id = p_change_set)
        || (SELECT int8send(count(*)) || coalesce(string_agg(b.digest, '' ORDER BY b.id), '')
            FROM audit.baseline b WHERE b.change_set = p_change_set)
        || (SELECT int8send(count(*)) || coalesce(string_agg(i.digest, '' ORDER BY i.id), '')
            FROM audit.item_change i WHERE i.change_set = p_change_set));
END $$;

-- The hash of link n: bound to its place, its moment and the link before.
CREATE FUNCTION audit.link_hash(p_prev bytea, p_study uuid, p_n bigint, p_at timestamptz, p_body bytea)
RETURNS bytea LANGUAGE sql STABLE
RETURN sha256(
    p_prev || uuid_send(p_study) || int8send(p_n)
    || convert_to(to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), 'UTF8') || p_body);

-- The application reads these to verify the chain; they write nothing.
REVOKE EXECUTE ON FUNCTION audit.digest(jsonb), audit.digest_of(audit.change_set),
    audit.digest_of(uuid, uuid, text, uuid, jsonb), audit.digest_of(uuid, uuid, text, uuid, text, text, jsonb, jsonb),
    audit.body_of(uuid), audit.link_hash(bytea, uuid, bigint, timestamptz, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.digest(jsonb), audit.digest_of(audit.change_set),
    audit.digest_of(uuid, uuid, text, uuid, jsonb), audit.digest_of(uuid, uuid, text, uuid, text, text, jsonb, jsonb),
    audit.body_of(uuid), audit.link_hash(bytea, uuid, bigint, timestamptz, bytea) TO pallsoft_app;
