-- Seal a change set at commit: one link of its study's chain. The row lock on the head puts commits in order and lasts
-- only until the commit is flushed; under REPEATABLE READ the loser gets 40001 and retries (an advisory lock would let
-- it read a stale head). (The plan of body_of, which runs at every commit, is made once.)
CREATE FUNCTION audit.seal_change_set() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = 'force_generic_plan' AS $$
DECLARE
    v_study uuid := coalesce(NEW.study_id, '00000000-0000-0000-0000-000000000000');
    v_body bytea := audit.body_of(NEW.id);  -- before the lock: the others wait for as little as possible
    v_head audit.head;
    v_at timestamptz;
BEGIN
    LOOP
        SELECT h.* INTO v_head FROM audit.head h WHERE h.study_id = v_study FOR NO KEY UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO audit.head (study_id, n, prev, hash) VALUES (v_study, 0, '', '') ON CONFLICT DO NOTHING;
    END LOOP;
    v_at := clock_timestamp();
    UPDATE audit.head h
    SET n = v_head.n + 1, prev = v_head.hash, hash = audit.link_hash(v_head.hash, v_study, v_head.n + 1, v_at, v_body)
    WHERE h.study_id = v_study RETURNING h.* INTO v_head;
    INSERT INTO audit.seal (study_id, n, change_set, at, prev, hash)
    VALUES (v_study, v_head.n, NEW.id, v_at, v_head.prev, v_head.hash);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION audit.seal_change_set() FROM PUBLIC;

CREATE CONSTRAINT TRIGGER seal AFTER INSERT ON audit.change_set
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit.seal_change_set();
