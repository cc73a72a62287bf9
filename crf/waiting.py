"""What visits and queries add to the worklist: windows that have begun or passed, and whose turn it is."""

from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Min
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crf.answers import SubjectAnswers
from crf.day_zero import days_waited
from crf.models import Draft, StudyEvent
from crf.schedule import VisitState, state_of
from crf.selectors.day_zero import anchor_url
from crf.selectors.due import waiting_visits
from crf.selectors.effort import MINUTES_A_QUERY, minutes_left
from crf.selectors.many import answers_of
from crf.selectors.matrix import visit_label, visit_url
from crf.selectors.place import NEW
from crf.selectors.proposals import proposed_at
from crf.selectors.queries import age_words, my_turn
from crf.selectors.visible import visible_queries
from pallsoft.accounts.models import User
from pallsoft.templatetags.ui import nb_date
from sites.clock import database_now, local_today
from sites.models import Site, Subject
from sites.permissions import Permission, permissions_anywhere, sites_for
from sites.selectors import definition_at, definition_in_use
from sites.worklist import WorkItem
from trials.definition import StudyDef
from trials.models import Study

SOON = 7  # days ahead that a visit is told


def places(user: User, study: Study) -> Iterator[tuple[Site, StudyDef]]:
    """The sites where the person enters data, as far as a version is in use there."""
    for site in sites_for(user, study, Permission.ENTER_DATA).select_related("study"):
        if definition := definition_in_use(site):
            yield site, definition


def waiting(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for each visit that is overdue, due or soon to be, at the sites where the person enters data."""
    for site, definition in places(user, study):
        today = local_today(site.timezone)
        visits = waiting_visits(today + timedelta(days=SOON)).filter(subject__site=site)
        events = list(visits.select_related("subject__study", "subject__site"))
        answers = answers_of({event.subject_id: event.subject for event in events}, definition)
        for event in events:
            label = visit_label(event, definition.event(event.event_oid))
            yield _item(event, label, minutes_left(answers[event.subject_id], event), today)


def without_day_0(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for each subject whose treatment has neither begun nor been cancelled in time (S10)."""
    for site, definition in places(user, study):
        today = local_today(site.timezone)
        provisional = StudyEvent.objects.filter(subject__site=site, provisional=True).values("subject")
        for subject in Subject.objects.filter(pk__in=provisional).select_related("study", "site"):
            answers = SubjectAnswers(subject, definition)
            if waited := days_waited(answers, today):
                yield _late(answers, waited)


def _late(answers: SubjectAnswers, waited: int) -> WorkItem:
    sentence = ngettext(
        "%(number)s: %(what)s, %(days)s day after randomisation.",
        "%(number)s: %(what)s, %(days)s days after randomisation.",
        waited,
    ) % {"number": answers.subject.number, "what": answers.study.anchor.late, "days": waited}
    return WorkItem(sentence, anchor_url(answers), "overdue", answers.known("fact.randomized_on"))


def proposed(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for each form that a rule of the study proposes at the sites where the person enters data (S15)."""
    for site, definition in places(user, study):
        for form in definition.forms:
            if form.propose:
                for event in proposed_at(site, definition, form, user):
                    yield _proposal(event, form.oid, str(form.propose.say))


def _proposal(event: StudyEvent, form_oid: str, what: str) -> WorkItem:
    place = [event.subject.study.oid, event.subject.number, event.event_oid, event.ordinal, form_oid, "1"]
    return WorkItem(f"{event.subject.number}: {what}", reverse("form", args=place), "proposal", event.happened_on)


def queries_waiting(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for all queries that it is the person's turn in."""
    if Permission.VIEW_SUBJECT not in permissions_anywhere(user, study):
        return
    mine = visible_queries(user, study).filter(my_turn(user, study))
    found = mine.aggregate(number=Count("pk"), oldest=Min("opened_at"))
    if not found["number"]:
        return
    days = age_words((database_now() - found["oldest"]).days)
    sentence = ngettext(
        "%(n)s query waits for you, the oldest %(days)s.",
        "%(n)s queries wait for you, the oldest %(days)s.",
        found["number"],
    ) % {"n": found["number"], "days": days}
    day = found["oldest"].astimezone(ZoneInfo(study.timezone)).date()
    minutes = found["number"] * MINUTES_A_QUERY
    yield WorkItem(sentence, reverse("queries", args=[study.oid]), "query", day, minutes)


def _item(event: StudyEvent, label: str, minutes: int, today: date) -> WorkItem:
    told = {
        "number": event.subject.number,
        "visit": label,
        "from": nb_date(event.window_from),
        "to": nb_date(event.window_to),
    }
    match state_of(event, today):
        case VisitState.OVERDUE:
            sentence = _("%(number)s: %(visit)s is overdue, the window ended %(to)s.") % told
            return WorkItem(sentence, visit_url(event), "overdue", event.window_to, minutes)
        case VisitState.DUE:
            sentence = _("%(number)s: %(visit)s is due, at the latest %(to)s.") % told
            return WorkItem(sentence, visit_url(event), "due", event.window_to, minutes)
    sentence = _("%(number)s: %(visit)s can be done from %(from)s to %(to)s.") % told
    return WorkItem(sentence, visit_url(event), "soon", event.window_from, minutes)


def unsaved(user: User, study: Study) -> Iterator[WorkItem]:
    """What this person typed and did not save: after a crash nobody remembers where."""
    sites = {site.pk: site for site in sites_for(user, study, Permission.ENTER_DATA).select_related("study")}
    for draft in Draft.objects.filter(user=user, subject__site__in=sites).select_related("subject__study"):
        definition = definition_at(sites[draft.subject.site_id])
        form = next((form for form in definition.forms if form.oid == draft.form_oid), None)
        if form is None:  # a later version of the study asks for it no more
            continue
        event = StudyEvent(subject=draft.subject, event_oid=draft.event_oid, ordinal=draft.ordinal)
        told = {
            "number": draft.subject.number,
            "visit": visit_label(event, definition.event(draft.event_oid)),
            "form": form.title,
        }
        key = NEW if draft.repeat_key.startswith(f"{NEW}-") else draft.repeat_key
        place = [study.oid, draft.subject.number, draft.event_oid, draft.ordinal, draft.form_oid, key]
        sentence = _("%(number)s: %(form)s, %(visit)s, is typed and not saved.") % told
        yield WorkItem(sentence, reverse("form", args=place), "draft")
