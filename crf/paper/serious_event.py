"""The report of one serious event on paper: its times, what is entered, and nobody's identity beyond the number.

What a report holds: ICH E2A, III.B and appendix 1 (what there is of it in the form of adverse events).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from crf.entry.document import Document
from crf.models import FormData
from crf.paper.casebook import AnswerLine, Signed, printed_form
from crf.safety.exchange import assessment_words, report_lines
from crf.selectors.definitions import definition_for
from crf.selectors.words import answer_words
from pallsoft.accounts.models import User
from sites.models import Subject
from trials.definition import SafetyPlan, StudyDef


@dataclass(frozen=True)
class SeriousEventPaper:
    """`times`: (label, words) in the order in which they happen; `groups`: all other answers of the form;
    `sponsor`: (what, judgement) of the sponsor.
    """

    subject: Subject
    row: FormData
    title: str
    times: list[tuple[str, str]]
    groups: list[tuple[str, list[AnswerLine]]]
    signed: list[Signed]
    sponsor: list[tuple[str, str]]


def serious_event_of(row: FormData, user: User, *, with_arm: bool) -> SeriousEventPaper:
    """What `user` may see of it, in the active language and time zone."""
    study = definition_for(row)
    plan = study.safety
    assert plan is not None  # a paper is asked for of serious events only
    row.subject.study = row.subject.site.study = row.study
    in_times = {plan.onset, plan.aware, plan.reported}
    answers, signed = printed_form(row, user, with_arm=with_arm)
    groups = [(label, [line for line in lines if line.oid not in in_times]) for label, lines in answers]
    return SeriousEventPaper(
        subject=row.subject,
        row=row,
        title=f"{study.form(row.form_oid).title} {row.repeat_key}",
        times=list(_times(row, study, plan)),
        groups=[(label, lines) for label, lines in groups if lines],
        signed=signed,
        sponsor=assessment_words(row),
    )


def _times(row: FormData, study: StudyDef, plan: SafetyPlan) -> Iterator[tuple[str, str]]:
    yield _told(row, study, plan.onset)
    yield _told(row, study, plan.aware)
    zone = ZoneInfo(row.subject.site.timezone)
    yield _("Entered"), _instant(row.created_in.at, zone)
    yield _told(row, study, plan.reported)
    for line in report_lines(row):
        yield _("Report %(number)s sent") % {"number": line.report.number}, _instant(line.reported_at, zone)
        if line.read_at:
            yield (
                _("Report %(number)s read by the sponsor") % {"number": line.report.number},
                _instant(line.read_at, zone),
            )


def _instant(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d.%m.%Y %H:%M}"  # as the answers


def _told(row: FormData, study: StudyDef, oid: str) -> tuple[str, str]:
    item, answer = study.item(oid), Document(row.data, row.marks).answer(oid)
    return str(item.label), answer_words(study, item, answer, ZoneInfo(row.subject.site.timezone))
