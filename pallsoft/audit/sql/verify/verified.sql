-- Every standing verification is of the value that stands now (DAT-13).
SELECT coalesce(s.n, 0), 'verification ' || v.id || ' of ' || v.item_oid || ' stands for another value than the present one'
FROM public.crf_verification v
LEFT JOIN public.crf_formdata f ON f.id = v.form_data_id
LEFT JOIN audit.seal s ON s.change_set = v.created_in
WHERE v.dropped_in IS NULL AND (%(study)s::uuid IS NULL OR v.study_id = %(study)s::uuid)
    AND v.value_digest IS DISTINCT FROM audit.salted_digest(v.salt, CASE
        WHEN v.consent_id IS NOT NULL THEN audit.consent_digest(v.consent_id)
        WHEN f.removed_in IS NULL THEN audit.item_digest(f.id, v.item_oid, f.data, f.marks) END)
ORDER BY v.verified_at LIMIT 1
