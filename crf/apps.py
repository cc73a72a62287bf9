"""Forms and visits: what they add to the worklist, and how they follow a correction of the subject."""

from django.apps import AppConfig


class CrfConfig(AppConfig):
    name = "crf"

    def ready(self) -> None:
        from crf.epro import guessing
        from crf.epro import sending as links
        from crf.epro.waiting import to_ring
        from crf.exports.holding import files_with, let_go
        from crf.reminders import owed, participants, sending, to_participants
        from crf.reminders.waiting import dead_letters, held_back, undelivered
        from crf.safety import messages as safety
        from crf.safety.waiting import to_assess, to_report, to_report_again
        from crf.services import alerts
        from crf.services.recalculation import follow_subject
        from crf.waiting import proposed, queries_waiting, unsaved, waiting, without_day_0
        from crf.waiting_contact import to_try_again
        from crf.waiting_screening import in_screening
        from crf.waiting_signatures import waiting as waiting_signatures
        from crf.waiting_survival import to_look_up
        from crf.waiting_to_check import to_confirm, to_judge, to_verify_again
        from pallsoft.outbox import registry
        from sites import erasing, following, worklist
        from sites.messages import by_sms

        worklist.register(to_report)
        worklist.register(to_report_again)
        worklist.register(to_assess)
        worklist.register(waiting)
        worklist.register(without_day_0)
        worklist.register(proposed)
        worklist.register(to_try_again)
        worklist.register(to_ring)
        worklist.register(to_look_up)
        worklist.register(in_screening)
        worklist.register(unsaved)
        worklist.register(queries_waiting)
        worklist.register(waiting_signatures)
        worklist.register(to_verify_again)
        worklist.register(to_confirm)
        worklist.register(to_judge)
        worklist.register(dead_letters)
        worklist.register(held_back)
        worklist.register(undelivered)
        registry.register(owed.KIND, still_owed=sending.still_owed, render=sending.render, waits=sending.waits)
        registry.register(safety.SERIOUS, still_owed=safety.is_owed, render=safety.render)
        registry.register(safety.REPORTED, still_owed=safety.report_is_owed, render=safety.render_report)
        registry.register(safety.REMOVED, still_owed=safety.removal_is_owed, render=safety.render_removal)
        registry.register(alerts.KIND, still_owed=alerts.is_owed, render=alerts.render)
        registry.register(
            links.LINK,
            still_owed=links.still_owed,
            render=links.render,
            by_sms=by_sms,
            to_participant=True,
        )
        registry.register(
            participants.KIND,
            still_owed=to_participants.still_owed,
            render=to_participants.render,
            by_sms=to_participants.by_sms,
            waits=sending.waits,
            to_participant=True,
        )
        registry.register(guessing.TO_SECURITY, still_owed=guessing.still_owed, render=guessing.render)
        following.register(follow_subject)
        erasing.register(files_with, let_go)
