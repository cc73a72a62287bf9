-- The sealed lists. The application's login has no right in this schema: it passes only through the functions of
-- allocate.sql and lists.sql, none of which tells what is to come. Rows are added, never changed or deleted, by nobody.
CREATE SCHEMA sealed;
REVOKE ALL ON SCHEMA sealed FROM PUBLIC;

-- The text above the slots; with the slots it gives the imported file again, byte for byte.
CREATE TABLE sealed.list (
    scheme_id uuid PRIMARY KEY REFERENCES public.randomization_scheme (id),
    header text NOT NULL
);

CREATE TABLE sealed.slot (
    stratum_id uuid NOT NULL REFERENCES public.randomization_stratum (id),
    seq integer NOT NULL CHECK (seq >= 1),
    arm text NOT NULL,
    PRIMARY KEY (stratum_id, seq)
);

CREATE FUNCTION sealed.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a sealed list is never changed' USING ERRCODE = 'PR000';
END $$;
REVOKE EXECUTE ON FUNCTION sealed.refuse() FROM PUBLIC;

CREATE TRIGGER sealed BEFORE UPDATE OR DELETE OR TRUNCATE ON sealed.list EXECUTE FUNCTION sealed.refuse();
CREATE TRIGGER sealed BEFORE UPDATE OR DELETE OR TRUNCATE ON sealed.slot EXECUTE FUNCTION sealed.refuse();

-- What the application never sees of an allocation. txid tells a reader in the same transaction from one after the
-- commit: else BEGIN, randomise, read the arm, ROLLBACK would show the next arm and leave no trace.
ALTER TABLE public.randomization_allocation
    ADD COLUMN seq integer NOT NULL,
    ADD COLUMN arm text NOT NULL,
    ADD COLUMN txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    ADD CONSTRAINT slot_once UNIQUE (stratum_id, seq),
    ADD CONSTRAINT slot_of_the_list FOREIGN KEY (stratum_id, seq) REFERENCES sealed.slot (stratum_id, seq);
