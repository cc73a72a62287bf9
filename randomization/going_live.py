"""What must hold before a study goes live, and what the sponsor should know before it does."""

from collections.abc import Iterator

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from randomization.models import Scheme
from sites.models import Consent, ScreeningEntry, Subject
from trials.definition import definition_of
from trials.models import Status, Study
from trials.selectors import live_version


def obstacles(study: Study) -> list[str]:
    """Practice data and practice lists, which nobody could tell from real ones afterwards. [] when there is none."""
    practice = {
        _("participants"): Subject.objects.filter(study=study).count(),
        _("consents"): Consent.objects.filter(study=study).count(),
        _("entries of the screening log"): ScreeningEntry.objects.filter(study=study).count(),
        _("randomisation lists"): Scheme.objects.filter(study=study).count(),
    }
    return [f"{words}: {count}" for words, count in practice.items() if count]


def warnings(study: Study) -> Iterator[str]:
    """What does not stand in the way, and will be missed or will surprise."""
    definition = definition_of(live_version(study))
    unworded = [str(form.title) for form in definition.forms if form.lacks_wording]
    if unworded:
        yield _(
            "These questionnaires have no licensed wording, and participants are not asked them by link: %(forms)s"
        ) % {"forms": ", ".join(unworded)}
    ours = len(definition.defaults())
    if ours:
        yield ngettext(
            "%(n)s setting is our default, not decided by the sponsor. It stands in the description of the study.",
            "%(n)s settings are our defaults, not decided by the sponsor. They stand in the description of the study.",
            ours,
        ) % {"n": ours}
    if not study.sites.filter(status=Status.OPEN).exists():
        yield _("No site is open yet.")
    if settings.SECURITY_CONTACT == settings.DEFAULT_FROM_EMAIL:
        yield _("Nobody is named who is told of attacks: set PALLSOFT_SECURITY_CONTACT.")
    if settings.SENDS_REMINDERS:
        yield _("Reminders and links to participants leave from now on.")
    else:
        yield _("This installation sends no reminders: set PALLSOFT_SENDS_REMINDERS in the one that is in real use.")
