"""Randomisation: what it tells the apps below it through their ports."""

from django.apps import AppConfig


class RandomizationConfig(AppConfig):
    name = "randomization"

    def ready(self) -> None:
        """Tell the apps below, through their ports, what they may know (allocation concealment)."""
        from crf import facts
        from crf.exports import extra
        from pallsoft.outbox import registry
        from randomization import exports, messages
        from randomization.facts import known_facts
        from randomization.worklist import waiting
        from sites import worklist

        facts.register(known_facts)
        extra.register(exports.randomization_table)
        worklist.register(waiting)
        registry.register(
            messages.CONFIRMATION, still_owed=messages.is_confirmation_owed, render=messages.render_confirmation
        )
        registry.register(messages.LOW_LIST, still_owed=messages.is_low_list_owed, render=messages.render_low_list)
