"""What a participant answers is saved at once, question by question, in the participant's own name (S07, S08)."""

from contextlib import AbstractContextManager
from uuid import UUID

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.entry.document import Answer, Document
from crf.epro.links import is_usable
from crf.epro.questionnaire import Question, Questionnaire, row_of
from crf.models import PARTICIPANT, Answerer, Device, PersonalLink, StopWish
from crf.selectors.place import place_of
from crf.services.saving import Author, Given, store
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from sites.clock import database_now, local_today
from sites.selectors import definition_at
from sites.services.holding import lock_subject
from trials.definition import ByLink, LinkPlan


def questionnaire_of(link: PersonalLink) -> Questionnaire:
    answers = SubjectAnswers(link.subject, definition_at(link.subject.site))
    event = next((one for one in answers.events if one.pk == link.event_id), link.event)
    event.subject = link.subject
    return Questionnaire(answers, event)


def begin(*, link: PersonalLink, who: Answerer, device: Device) -> None:
    """Note who answers, and on what, before the first question. Raises NotAllowedNow."""
    with transaction.atomic():
        link = _held(link)
        with _changing(link, "crf.begin_questionnaire"):
            link.answered_by, link.device = who, device
            link.save(update_fields=["answered_by", "device"])


def answer(*, link: PersonalLink, question: Question, given: Answer) -> None:
    """Save one answer. The same one again changes nothing; another one takes its place until all is handed in.

    Raises InvalidInput, NotAllowedNow.
    """
    with transaction.atomic():
        link = _held(link)
        _save(link, question.form.oid, {question.item.oid: given})


def hand_in(*, link: PersonalLink) -> None:
    """Say that all is answered: from now on only the site changes an answer. Twice is once. Raises NotAllowedNow."""
    with transaction.atomic():
        link = _held(link)
        if any(question.is_open for question in questionnaire_of(link).questions):
            raise NotAllowedNow(_("Some questions are not answered yet."))
        _finish(link)


def give_up(*, link: PersonalLink) -> None:
    """End the questionnaire kindly: what is open is missing because the participant was too ill (S08).

    What was answered stays. A form that was not begun is marked as not answered, as a whole.
    """
    with transaction.atomic():
        link = _held(link)
        asked = questionnaire_of(link)
        for form in asked.forms:
            if row_of(asked.answers, asked.event, form.oid):
                own = [question for question in asked.questions if question.form.oid == form.oid and question.is_open]
                may = [one.item.oid for one in own if asked.plan.too_ill in one.item.missing]
                _save(link, form.oid, {oid: Answer(missing=asked.plan.too_ill) for oid in may}, about={})
            elif form.by_link:
                _save(link, form.oid, {form.by_link.not_answered: Answer(asked.plan.given_up)}, about={})
        _finish(link)


def wish(*, link: PersonalLink, stop: StopWish) -> None:
    """What somebody who gave up wants: the site is told, and decides with the participant. Raises NotAllowedNow."""
    with transaction.atomic():
        subject = lock_subject(link.subject)
        link = PersonalLink.objects.select_related("event", "subject__site", "subject__study").get(pk=link.pk)
        link.subject = subject
        if link.stop_wish:
            return
        with _changing(link, "crf.wish_to_stop"):
            link.stop_wish = stop
            link.save(update_fields=["stop_wish"])


def is_finished(link: PersonalLink) -> bool:
    """Handed in or given up, by this link or by another one to the same visit."""
    return PersonalLink.objects.filter(event=link.event_id).exclude(finished_at=None).exists()


def _held(link: PersonalLink) -> PersonalLink:
    """The link as it is now, under the lock of its subject. Raises NotAllowedNow when it ended meanwhile."""
    subject = lock_subject(link.subject)
    link = PersonalLink.objects.select_related("event", "subject__site", "subject__study").get(pk=link.pk)
    link.subject = link.event.subject = subject
    if link.revoked_in or not is_usable(link):
        raise NotAllowedNow(_("This link cannot be used any more."))
    if is_finished(link):
        raise NotAllowedNow(_("These questions are answered already. Ring the hospital if something is wrong."))
    return link


def _changing(link: PersonalLink, action: str) -> AbstractContextManager[UUID]:
    subject = link.subject
    return change_set(
        study=subject.study, by=None, action=action, role=PARTICIPANT, site=subject.site, name=subject.number
    )


def _save(link: PersonalLink, form_oid: str, given: dict[str, Answer], *, about: dict[str, str] | None = None) -> None:
    place = place_of(link.event, form_oid, "1")
    by_link = place.form.by_link
    if not given or by_link is None:
        return
    if about is None:
        about = _less_own(link, by_link, place.current) if place.row else _about(link, by_link)
    if all(_is_same(place.current.answer(oid), one) for oid, one in given.items()):
        return
    given = {oid: Answer(code) for oid, code in about.items()} | given
    before = [(place.current.answer(oid), one) for oid, one in given.items()]
    changes = any(was and not _is_same(was, one) for was, one in before)
    reason = _("Changed by the participant before handing in") if changes else ""
    values = {oid: one.value for oid, one in given.items()}
    missing = {oid: one.missing for oid, one in given.items() if one.missing}
    entered = {oid: one.entered for oid, one in given.items() if one.entered}
    store(
        place,
        Given(values, missing, entered, reason),
        seen_version=place.row.version if place.row else 0,
        author=Author(None, PARTICIPANT, "crf.answer_by_link", place.subject.number),
    )


def _is_same(was: Answer, one: Answer) -> bool:
    return (was.value, was.missing) == (one.value, one.missing)


def _about(link: PersonalLink, by_link: ByLink) -> dict[str, str]:
    """How it is answered, as it is told with the first answer of a form."""
    plan = _plan(link)
    language = "nb" if (get_language() or "nb").startswith("nb") else "en"
    told = {
        by_link.mode: plan.mode,
        by_link.who: _code(link),
        by_link.language: plan.languages.get(language, ""),
    }
    if by_link.day:
        told[by_link.day] = local_today(link.subject.site.timezone).isoformat()
    return told


def _less_own(link: PersonalLink, by_link: ByLink, stored: Document) -> dict[str, str]:
    """Who answers, when it is less the patient than so far: a form is as own as its least own answer."""
    who, was = _plan(link).who, stored.answer(by_link.who).value
    is_less = was not in who or who.index(_code(link)) > who.index(was)
    return {by_link.who: _code(link)} if is_less else {}


def _code(link: PersonalLink) -> str:
    plan = _plan(link)
    codes = {Answerer.ALONE: plan.alone, Answerer.HELPED: plan.helped, Answerer.PROXY: plan.proxy}
    assert link.answered_by  # told before the first question: crf/epro/views.py
    return codes[Answerer(link.answered_by)]


def _plan(link: PersonalLink) -> LinkPlan:
    plan = definition_at(link.subject.site).links
    assert plan is not None  # trials/consistency/links.py
    return plan


def _finish(link: PersonalLink) -> None:
    with _changing(link, "crf.hand_in"):
        link.finished_at = database_now()
        link.asks_call = _asks_call(questionnaire_of(link))
        link.save(update_fields=["finished_at", "asks_call"])


def _asks_call(asked: Questionnaire) -> bool:
    """Did a score reach the limit from which the site rings?"""
    limit = asked.plan.call_at
    scores = [one.answer.value for one in asked.questions if one.item.kind == "nrs" and one.answer.value]
    return limit is not None and any(int(score) >= limit for score in scores)
