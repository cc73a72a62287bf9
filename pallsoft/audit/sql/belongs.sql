-- A form belongs to the visit of its subject, a visit to the study of its subject: locks and chains are per study, and
-- a row that named another one would pass by both. (study_id of a form is bound by its change set.)
ALTER TABLE public.sites_subject ADD CONSTRAINT subject_and_study UNIQUE (id, study_id);
ALTER TABLE public.crf_studyevent
    ADD CONSTRAINT event_and_subject UNIQUE (id, subject_id, study_id),
    ADD CONSTRAINT event_of_subject FOREIGN KEY (subject_id, study_id) REFERENCES public.sites_subject (id, study_id);
ALTER TABLE public.crf_formdata
    ADD CONSTRAINT form_of_event FOREIGN KEY (event_id, subject_id, study_id)
    REFERENCES public.crf_studyevent (id, subject_id, study_id);
