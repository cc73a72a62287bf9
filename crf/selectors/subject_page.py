"""What a person can do next with a subject."""

from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from sites.models import SubjectStatus
from sites.permissions import AnyUser, Permission, has_permission, rights_at

TONES = {"randomize": "primary"}


def actions_for(answers: SubjectAnswers, user: AnyUser) -> list[dict[str, Any]]:
    """[{label, url, tone}] in the order of the trial; pages of apps above are linked when they are there."""
    subject = answers.subject
    actions = [(_("Consent"), "consent"), (_("Participation"), "participation"), (_("Eligibility"), "eligibility")]
    in_screening = subject.status == SubjectStatus.SCREENING
    if in_screening and has_permission(user, Permission.RANDOMIZE, subject.study, subject.site):
        actions.append((_("Randomise"), "randomize"))
    rights = rights_at(user, subject.study, subject.site)
    if Permission.VERIFY in rights:
        actions.append((_("Verification"), "subject-verification"))
    if rights & {Permission.FREEZE, Permission.CONFIRM_UNLOCK}:
        actions.append((_("Freeze or lock"), "lock-subject"))
    found = [
        {"label": label, "url": _url(name, answers), "tone": TONES.get(name, "secondary")} for label, name in actions
    ]
    if has_permission(user, Permission.VIEW_TRAIL, subject.study, subject.site):
        found.append({"label": _("As it was"), "url": f"{_url('subject', answers)}?as_of=last", "tone": "secondary"})
    return [action for action in found if action["url"]]


def _url(name: str, answers: SubjectAnswers) -> str:
    try:
        return reverse(name, args=[answers.subject.study.oid, answers.subject.number])
    except NoReverseMatch:
        return ""
