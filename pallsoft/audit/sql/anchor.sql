-- The anchors of the file outside (pallsoft/audit/anchors.py), noted here by number and hash: so that a file whose end
-- was cut off is found from here, as a chain whose end was cut off is found from there.
CREATE TABLE audit.anchor (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line bigint NOT NULL,
    sha256 bytea NOT NULL,
    at timestamptz NOT NULL
);
GRANT SELECT ON audit.anchor TO pallsoft_app;

CREATE FUNCTION audit.note_anchor(p_line bigint, p_sha256 bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO audit.anchor (line, sha256, at) VALUES (p_line, p_sha256, clock_timestamp())
$$;

-- What a chain holds up to each of the links asked for: hash, and rows of the trail from the first link on.
CREATE FUNCTION audit.chain_at(p_study uuid, p_n bigint[]) RETURNS TABLE (n bigint, hash text, trailed bigint)
LANGUAGE sql STABLE AS $$
    WITH link AS (
        SELECT s.n, s.hash, sum(
            (SELECT count(*) FROM audit.baseline b WHERE b.change_set = s.change_set)
            + (SELECT count(*) FROM audit.item_change i WHERE i.change_set = s.change_set)) OVER (ORDER BY s.n) AS trailed
        FROM audit.seal s WHERE s.study_id = p_study
    )
    SELECT l.n, encode(l.hash, 'hex'), l.trailed::bigint FROM link l WHERE l.n = ANY (p_n)
$$;
REVOKE EXECUTE ON FUNCTION audit.note_anchor(bigint, bytea), audit.chain_at(uuid, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.note_anchor(bigint, bytea), audit.chain_at(uuid, bigint[]) TO pallsoft_app;
