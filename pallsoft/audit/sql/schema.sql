-- The trail. The application may read it and nothing else: every row is written by a function of the owner.
CREATE SCHEMA audit;
REVOKE ALL ON SCHEMA audit FROM PUBLIC;
GRANT USAGE ON SCHEMA audit TO pallsoft_app;

-- Who changed regulated data, in which role, when and why: one row per service call.
CREATE TABLE audit.change_set (
    id uuid PRIMARY KEY,
    study_id uuid,                      -- NULL: the system chain (accounts, studies themselves)
    at timestamptz NOT NULL,
    actor_id uuid,
    actor_name text NOT NULL,           -- as it was then; names change, the trail does not
    role text NOT NULL,
    site_id uuid,
    action text NOT NULL,
    reason text NOT NULL,
    request_id text NOT NULL,
    software_version text NOT NULL,
    db_user text NOT NULL,              -- the author is a claim of the application; the login is not
    xid xid8 NOT NULL,                  -- transaction ids start again after dump and restore: never unique
    salt uuid,
    digest bytea NOT NULL,
    masked_in uuid
);
CREATE INDEX change_set_by_study ON audit.change_set (study_id, at);

-- A row as it was first stored, whole. Together with item_change it rebuilds every table.
CREATE TABLE audit.baseline (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    change_set uuid NOT NULL,
    tbl text NOT NULL,
    row_id uuid NOT NULL,
    doc jsonb,
    salt uuid,
    digest bytea NOT NULL,
    masked_in uuid,
    UNIQUE (tbl, row_id)
);
CREATE INDEX baseline_by_change_set ON audit.baseline (change_set);
CREATE INDEX baseline_by_subject ON audit.baseline ((doc ->> 'subject_id')) WHERE doc ->> 'subject_id' IS NOT NULL;

-- One changed item: a column (part '') or a key of a document column (part 'data' or 'marks').
-- NULL means "no value"; documents hold no JSON null, so nothing is lost by that.
CREATE TABLE audit.item_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    change_set uuid NOT NULL,
    tbl text NOT NULL,
    row_id uuid NOT NULL,
    part text NOT NULL,
    item text NOT NULL,
    old jsonb,
    new jsonb,
    salt uuid,
    digest bytea NOT NULL,
    masked_in uuid
);
CREATE INDEX item_change_by_item ON audit.item_change (tbl, row_id, item, id);
CREATE INDEX item_change_by_change_set ON audit.item_change (change_set);

-- The links of the chains, one chain per study; the nil uuid stands for what belongs to none. n is the order of commits.
CREATE TABLE audit.seal (
    study_id uuid NOT NULL,
    n bigint NOT NULL,
    change_set uuid NOT NULL UNIQUE,
    at timestamptz NOT NULL,
    prev bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (study_id, n)
);

-- The last link of each chain: the row whose lock puts commits in order.
CREATE TABLE audit.head (
    study_id uuid PRIMARY KEY,
    n bigint NOT NULL,
    prev bytea NOT NULL,
    hash bytea NOT NULL
);

-- Reading and failed access, kept apart from the trail of changes (AUD-12).
CREATE TABLE audit.access (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    user_id uuid,
    subject_id uuid,
    what text NOT NULL,
    ok boolean NOT NULL,
    request_id text NOT NULL,
    db_user text NOT NULL
);
CREATE INDEX access_by_subject ON audit.access (subject_id, at);
CREATE INDEX access_by_user ON audit.access (user_id, at);

-- What is regulated and how, written by the migration operation Regulated; read by the view and by verify.
CREATE TABLE audit.regulated (
    tbl text PRIMARY KEY,
    parts text[] NOT NULL,
    excluded text[] NOT NULL
);

-- The erasure under way (erase.sql): triggers of insert-only tables and of locks let pass what is emptied in it. Only a
-- function of the owner opens this door, and closes it again before it returns.
CREATE TABLE audit.erasing (change_set uuid PRIMARY KEY);
CREATE FUNCTION audit.is_erasing() RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN EXISTS (
    SELECT FROM audit.erasing e WHERE e.change_set = nullif(current_setting('audit.change_set', true), '')::uuid);
REVOKE EXECUTE ON FUNCTION audit.is_erasing() FROM PUBLIC;

GRANT SELECT ON audit.change_set, audit.baseline, audit.item_change, audit.seal, audit.head, audit.access,
    audit.regulated TO pallsoft_app;
