from django.db import migrations

from pallsoft.audit.operations import Grant, Regulated

# Who the participants are stands apart from the study's data (D9). A trigger notes that something changed, never what.
IDENTITY = """
CREATE SCHEMA identity;
CREATE TABLE identity.contact (
    id uuid PRIMARY KEY,
    study_id uuid NOT NULL REFERENCES public.trials_study,
    subject_id uuid NOT NULL UNIQUE REFERENCES public.sites_subject,
    channels varchar(4)[] NOT NULL,
    language varchar(2) NOT NULL,
    sealed text NOT NULL
);
CREATE FUNCTION identity.note_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_row identity.contact;
BEGIN
    IF TG_OP = 'DELETE' THEN v_row := OLD; ELSE v_row := NEW; END IF;
    INSERT INTO public.sites_contactchange (id, study_id, subject_id, kind, created_in)
    VALUES (gen_random_uuid(), v_row.study_id, v_row.subject_id, lower(TG_OP), audit.current_change_set());
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION identity.note_change() FROM PUBLIC;
CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON identity.contact
    FOR EACH ROW EXECUTE FUNCTION identity.note_change();
GRANT USAGE ON SCHEMA identity TO pallsoft_app;
GRANT SELECT, INSERT, DELETE, UPDATE (channels, language, sealed) ON identity.contact TO pallsoft_app;
"""


class Migration(migrations.Migration):
    dependencies = [("sites", "0006_contact")]

    operations = [
        Regulated("sites_contactchange", insert_only=True),
        Grant("sites_contactchange", "SELECT"),
        migrations.RunSQL(IDENTITY, "DROP SCHEMA identity CASCADE"),
    ]
