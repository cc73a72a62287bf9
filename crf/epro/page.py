"""One question as its page shows it."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from crf.entry.fields import field_of, typed_of
from crf.entry.posted import Typed
from crf.epro.questionnaire import Questionnaire


def question_page(asked: Questionnaire, n: int, typed: Typed | None, errors: list[str]) -> dict[str, Any]:
    """Question `n` from 1. `typed`: what was just sent and could not be kept, None for what is stored.

    Of the reasons for a missing answer the participant is offered one: to rather not answer.
    """
    question = asked.questions[n - 1]
    zone = timezone.get_current_timezone()
    item = field_of(question.study, question.item, typed or typed_of(question.item, question.answer, zone))
    refused = asked.plan.refused
    item["missing_choices"] = [(refused, _("I would rather not answer"))] if refused in question.item.missing else []
    item["question"] = (*item["question"], refused)  # it looks different from the same question of the staff
    item |= {"errors": errors, "hidden": False, "readonly": False, "trail_url": "", "old": "", "beside": None}
    number = len(asked.questions)
    return {
        "item": item,
        "form": question.form,
        "n": n,
        "number": number,
        "before": n - 1,
        "first_of_form": n == 1 or asked.questions[n - 2].form.oid != question.form.oid,
    }
