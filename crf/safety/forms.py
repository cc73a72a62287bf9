"""What the sponsor fills in about a serious event."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from crf.services import Assessed
from sites.fields import DayField, YesNoField
from trials.definition import CodeList, SponsorAssessment


class AssessmentForm(forms.Form):
    """`stands`: what is judged so far; a reason is asked for as soon as there is something."""

    expected = YesNoField(label=gettext_lazy("Was the event expected?"), required=False)
    related = forms.ChoiceField(
        label=gettext_lazy("Relation to the treatment, as the sponsor judges it"), required=False
    )
    authority_on = DayField(required=False)
    reason = forms.CharField(
        label=gettext_lazy("Why is it judged otherwise now?"),
        help_text=gettext_lazy("Only when something that was judged changes."),
        max_length=500,
        required=False,
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, data: QueryDict | None, *, stands: Assessed, plan: SponsorAssessment, causality: CodeList
    ) -> None:
        expected = {None: "", True: "Y", False: "N"}[stands.expected]
        known = {"expected": expected, "related": stands.related, "authority_on": stands.authority_on}
        super().__init__(data, initial=known | {"seen": stands.token})
        choices = [("", "–"), *((item.code, str(item.label)) for item in causality.items)]
        self.fields["related"].choices = choices  # type: ignore[attr-defined]
        if plan.authority:
            self.fields["authority_on"].label = str(plan.authority)
        else:
            del self.fields["authority_on"]
        if stands.is_empty:
            del self.fields["reason"]

    def said(self) -> Assessed:
        """What was filled in; once the form is valid."""
        cleaned = self.cleaned_data
        return Assessed(cleaned["expected"], cleaned["related"], cleaned.get("authority_on"))
