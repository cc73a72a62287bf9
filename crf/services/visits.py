"""The rows that writes stand on: the locked subject, and visits, stored when first something happens at them."""

from datetime import date

from django.utils.translation import gettext as _

from crf.entry.refusal import Refused
from crf.entry.texts import explanation
from crf.models import StudyEvent
from pallsoft.errors import InvalidInput
from sites.clock import local_today
from sites.models import Subject
from sites.services.holding import lock_subject, lock_subjects

__all__ = ["check_happened", "explained", "lock_subject", "lock_subjects", "stored"]


def stored(event: StudyEvent) -> StudyEvent:
    """`event`, made within the present change set when it is none yet."""
    if event._state.adding:
        event.save(force_insert=True)
    return event


def explained(reason: str, ask: str, name: str = "reason") -> str:
    """The reason as it is stored. Raises InvalidInput: with the sentence `ask` when there is none ("" = not needed)."""
    try:
        told = explanation(reason)
    except Refused as refusal:
        raise InvalidInput({name: [refusal.sentence]}) from None
    if ask and not told:
        raise InvalidInput({name: [ask]})
    return told


def check_happened(subject: Subject, day: date) -> None:
    """Raises InvalidInput for a day to come or before the birth of the subject (DAT-08)."""
    if day > local_today(subject.site.timezone):
        raise InvalidInput({"happened_on": [_("The day is in the future. Write the day on which it took place.")]})
    if day.year < subject.birth_year:
        raise InvalidInput({"happened_on": [_("The day is before the subject was born. Check the year.")]})
