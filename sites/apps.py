"""Places and people: the mail that invites, and what they add to the worklist."""

from django.apps import AppConfig


class SitesConfig(AppConfig):
    name = "sites"

    def ready(self) -> None:
        from pallsoft.outbox import registry
        from sites import invitations, messages, worklist
        from sites.owing import owing
        from sites.participation import may_be_written_to
        from sites.services.contact import TEST_MESSAGE
        from sites.services.people import INVITATION
        from sites.waiting import waiting

        registry.register(INVITATION, still_owed=invitations.still_owed, render=invitations.render)
        registry.register(
            TEST_MESSAGE,
            still_owed=messages.still_owed,
            render=messages.render,
            by_sms=messages.by_sms,
            to_participant=True,
        )
        registry.guard_participants(may_be_written_to)
        worklist.register(waiting)
        worklist.register(owing)
