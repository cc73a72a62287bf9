"""About how many minutes something takes, so that one can choose what fits between two patients.

Estimates of ours, not measured; the page says "about".
"""

from math import ceil

from crf.answers import SubjectAnswers
from crf.models import FormStatus, StudyEvent
from trials.definition import FormDef
from trials.subject_rules import is_shown

QUESTIONS_A_MINUTE = 10
MINUTES_A_QUERY = 2
MINUTES_A_SIGNATURE = 1
MINUTES_A_LOOK_UP = 1  # of one participant in the hospital record
MINUTES_A_TRY = 3  # to reach somebody by telephone


def minutes_left(answers: SubjectAnswers, event: StudyEvent) -> int:
    """For the required forms of a visit that are not complete, by the number of their questions; at least one."""
    return max(1, ceil(sum(map(_questions, forms_left(answers, event))) / QUESTIONS_A_MINUTE))


def forms_left(answers: SubjectAnswers, event: StudyEvent) -> list[FormDef]:
    """The required forms of a visit that are asked for and not complete, in its order."""
    study = answers.study
    complete = {
        form.form_oid for form in answers.forms if form.event.key == event.key and form.status == FormStatus.COMPLETE
    }
    here = answers.at(event)
    return [
        study.form(ref.form)
        for ref in study.event(event.event_oid).forms
        if ref.required and ref.form not in complete and is_shown(study, ref, here)
    ]


def _questions(form: FormDef) -> int:
    return sum(not (item.derived or item.retired) for item in form.items)
