-- Every reminder to a participant that the rules ask for, of visits whose questionnaires are not handed in, once each.
-- `needs_tick`: held until the site has seen in the hospital record, not long ago, that the participant is alive.
WITH rule AS (
    SELECT * FROM jsonb_to_recordset(%(rules)s) AS r(
        site uuid, topic text, events text[], counted_from text, days int, times int, every_days int, role text,
        alive_days int, since date, send_from time)
), owed AS (
    SELECT subject.study_id, site.id AS site_id, subject.id AS subject_id, event.id AS event_id, rule.topic, turn.ordinal,
        subject.id AS recipient_id, rule.role, turn.day, today.day AS today,
        (turn.day + rule.send_from) AT TIME ZONE site.timezone AS due_at,
        rule.alive_days IS NOT NULL AND NOT EXISTS (SELECT FROM sites_aliveinrecord seen
            WHERE seen.subject_id = subject.id AND seen.ended_in IS NULL
                AND seen.day >= today.day - rule.alive_days) AS needs_tick
    FROM rule
    JOIN sites_site site ON site.id = rule.site
    JOIN trials_study study ON study.id = site.study_id
    CROSS JOIN LATERAL (SELECT (statement_timestamp() AT TIME ZONE site.timezone)::date AS day) today
    JOIN sites_subject subject ON subject.site_id = site.id
    JOIN identity.contact contact ON contact.subject_id = subject.id AND contact.channels::text[] && %(ways)s::text[]
    JOIN crf_studyevent event ON event.subject_id = subject.id AND event.event_oid = ANY (rule.events)
    CROSS JOIN LATERAL (
        SELECT n AS ordinal, rule.days + (n - 1) * rule.every_days + CASE rule.counted_from
            WHEN 'window_from' THEN event.window_from WHEN 'target' THEN event.target_on ELSE event.window_to END AS day
        FROM generate_series(1, rule.times) n
    ) turn
    WHERE turn.day >= rule.since
        -- As for the staff: what comes late does not come in a heap.
        AND (turn.ordinal = rule.times OR turn.day + rule.every_days > today.day)
        AND (turn.day >= event.window_to OR event.window_to >= today.day)
        AND site.status = ANY (%(entry)s) AND study.status = ANY (%(entry)s)
        AND NOT subject.status = ANY (%(ended)s)
        AND event.not_done_reason = ''
        AND NOT EXISTS (SELECT FROM crf_personallink l WHERE l.event_id = event.id AND l.finished_at IS NOT NULL)
        AND NOT EXISTS (SELECT FROM sites_death d WHERE d.subject_id = subject.id AND d.ended_in IS NULL)
        AND NOT EXISTS (SELECT FROM sites_erasure e WHERE e.subject_id = subject.id AND e.declined_in IS NULL)
        AND NOT EXISTS (SELECT FROM sites_stop s WHERE s.subject_id = subject.id AND s.ended_in IS NULL
            AND s.kind = ANY (%(silenced)s))
)
