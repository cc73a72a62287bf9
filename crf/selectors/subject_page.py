"""What a person can do with a subject: what is used often first, by kind, the rest behind "More"."""

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from sites.models import SubjectStatus
from sites.permissions import AnyUser, Permission, rights_at
from trials.definition import StudyDef, StudyEventDef

Action = dict[str, Any]  # {label, url, tone}


@dataclass(frozen=True)
class Actions:
    """`groups`: entry, participation, data quality, each in the order of the trial; `more`: what is rarely needed."""

    groups: list[list[Action]]
    more: list[Action]


def actions_for(answers: SubjectAnswers, user: AnyUser, sign_url: str) -> Actions:
    """Pages of apps above are linked when they are there. `sign_url`: where this person signs the casebook, or ""."""
    subject = answers.subject
    rights = rights_at(user, subject.study, subject.site)
    papers = [_action(_("Consent"), "consent", answers), _action(_("Eligibility"), "eligibility", answers)]
    randomized = subject.status == SubjectStatus.RANDOMIZED
    entry = [] if randomized else papers
    if subject.status == SubjectStatus.SCREENING and Permission.RANDOMIZE in rights:
        entry = [*entry, _action(_("Randomise"), "randomize", answers, tone="primary")]
    if randomized and unscheduled_of(answers.study) and Permission.ENTER_DATA in rights:
        entry = [*entry, _action(_("Unscheduled visit"), "add-visit", answers)]
    quality = []
    if Permission.VERIFY in rights:
        quality.append(_action(_("Verification"), "subject-verification", answers))
    if rights & {Permission.FREEZE, Permission.CONFIRM_UNLOCK}:
        quality.append(_action(_("Freeze or lock"), "lock-subject", answers))
    more = papers if randomized else []
    more = [*more, _action(_("Scores"), "scores", answers)]
    if Permission.KEEP_CONTACT in rights:
        more = [*more, _action(_("Contact data"), "contact", answers)]
    if Permission.RECORD_DEVIATION in rights and answers.study.deviations:
        more = [*more, _action(_("Enter a deviation"), "record-deviation", answers)]
    if sign_url:
        more = [*more, {"label": _("Sign the casebook"), "url": sign_url}]
    if Permission.VIEW_TRAIL in rights:
        more = [*more, {"label": _("As it was"), "url": f"{_url('subject', answers)}?as_of=last"}]
    groups = [_there(group) for group in (entry, [_action(_("Participation"), "participation", answers)], quality)]
    return Actions([group for group in groups if group], _there(more))


def unscheduled_of(study: StudyDef) -> list[StudyEventDef]:
    """The kinds of visits that can be added."""
    return [event for event in study.events if event.kind == "unscheduled"]


def _action(label: str, name: str, answers: SubjectAnswers, tone: str = "secondary") -> Action:
    return {"label": label, "url": _url(name, answers), "tone": tone}


def _there(actions: list[Action]) -> list[Action]:
    return [action for action in actions if action["url"]]


def _url(name: str, answers: SubjectAnswers) -> str:
    try:
        return reverse(name, args=[answers.subject.study.oid, answers.subject.number])
    except NoReverseMatch:
        return ""
