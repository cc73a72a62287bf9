"""The form by which a person enters a deviation that no check finds."""

import uuid

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sites.fields import DayField, offer
from sites.identity_guard import identity_numbers
from trials.definition import DeviationRule


class DeviationForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput)
    rule_oid = forms.ChoiceField(label=gettext_lazy("Kind"))
    happened_on = DayField(label=gettext_lazy("Day it happened"))
    description = forms.CharField(
        label=gettext_lazy("What happened, and why"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, data: QueryDict | None = None, *, kinds: list[DeviationRule]) -> None:
        super().__init__(data, initial={"key": uuid.uuid4()})
        offer(self, "rule_oid", [("", ""), *((rule.oid, str(rule.label)) for rule in kinds)])

    def clean_description(self) -> str:
        text = str(self.cleaned_data["description"])
        if identity_numbers(text):
            raise forms.ValidationError(_("This looks like a national identity number. Take it out."))
        return text
