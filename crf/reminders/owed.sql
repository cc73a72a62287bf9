-- Every reminder that the rules ask for of visits that are not done, each once for each person; `day` is when it is due.
-- A person with several of the roles is reminded once, by the first of them.
-- `within`: only what is due in so many days from today; asked before the rows are sorted, since most are due much later.
-- `begun`: only visits whose window begins in so many days, as no rule reminds earlier of what is asked for. Says nothing new,
-- but leaves most visits out before anything is computed of them.
WITH rule AS (
    SELECT * FROM jsonb_to_recordset(%(rules)s) AS r(
        site uuid, topic text, events text[], counted_from text, days int, times int, every_days int, role text,
        since date, send_from time)
), owed AS (
    SELECT DISTINCT ON (event.id, rule.topic, turn.ordinal, person.id)
        subject.study_id, site.id AS site_id, subject.id AS subject_id, event.id AS event_id, rule.topic, turn.ordinal,
        person.id AS recipient_id, rule.role, turn.day, today.day AS today,
        (turn.day + rule.send_from) AT TIME ZONE site.timezone AS due_at, false AS needs_tick
    FROM rule
    JOIN sites_site site ON site.id = rule.site
    JOIN trials_study study ON study.id = site.study_id
    CROSS JOIN LATERAL (SELECT (statement_timestamp() AT TIME ZONE site.timezone)::date AS day) today
    JOIN sites_subject subject ON subject.site_id = site.id
    JOIN crf_studyevent event ON event.subject_id = subject.id AND event.event_oid = ANY (rule.events)
    CROSS JOIN LATERAL (
        SELECT n AS ordinal, rule.days + (n - 1) * rule.every_days + CASE rule.counted_from
            WHEN 'window_from' THEN event.window_from WHEN 'target' THEN event.target_on ELSE event.window_to END AS day
        FROM generate_series(1, rule.times) n
    ) turn
    JOIN sites_assignment held ON held.study_id = study.id AND held.role = rule.role
        AND (held.site_id = site.id OR held.site_id IS NULL) AND held.valid_from <= turn.day
        AND coalesce(held.valid_until, 'infinity') >= greatest(turn.day, today.day)
    JOIN accounts_user person ON person.id = held.user_id AND person.is_active
    WHERE (%(begun)s::int IS NULL OR event.window_from <= current_date + %(begun)s::int)
        AND turn.day >= rule.since AND (%(within)s::int IS NULL OR turn.day <= today.day + %(within)s::int)
        -- What is planned late does not come in a heap: the next one takes over, and no visit that is late is "to come".
        AND (turn.ordinal = rule.times OR turn.day + rule.every_days > today.day)
        AND (turn.day >= event.window_to OR event.window_to >= today.day)
        AND site.status = ANY (%(entry)s) AND study.status = ANY (%(entry)s)
        AND NOT subject.status = ANY (%(ended)s)
        AND event.happened_on IS NULL AND event.not_done_reason = ''
        AND NOT EXISTS (SELECT FROM sites_death d WHERE d.subject_id = subject.id AND d.ended_in IS NULL)
        AND NOT EXISTS (SELECT FROM sites_erasure e WHERE e.subject_id = subject.id AND e.declined_in IS NULL)
        AND NOT EXISTS (SELECT FROM sites_stop s WHERE s.subject_id = subject.id AND s.ended_in IS NULL
            AND s.kind = ANY (%(left)s))
    ORDER BY event.id, rule.topic, turn.ordinal, person.id, rule.role
)
