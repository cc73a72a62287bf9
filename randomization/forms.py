"""The forms of randomisation: arming the button, a correction, a randomisation by telephone."""

import uuid
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from randomization.corrections import Correctable
from sites.fields import ClockField, DayField, add_instant, offer


class RandomizeForm(forms.Form):
    """`key` makes a second click the same request; the subject's number is typed to arm the button."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    typed_number = forms.CharField(max_length=20, required=False)

    def __init__(self, data: QueryDict | None = None, *, number: str) -> None:
        super().__init__(data, initial={"key": uuid.uuid4()})
        field = self.fields["typed_number"]
        field.label = _("Type %(number)s to randomise") % {"number": number}
        field.widget.attrs |= {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}


class CorrectionForm(forms.Form):
    """`what` is "FACTOR:CODE": each factor with the values that it can truly have had."""

    what = forms.ChoiceField(label=gettext_lazy("What was it truly?"))
    source = forms.CharField(label=gettext_lazy("Where the true value stands"), max_length=200)
    reason = forms.CharField(
        label=gettext_lazy("Why it was wrong"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    stands_at = {"factor": "what", "value": "what"}

    def __init__(self, data: QueryDict | None = None, *, choices: list[Correctable]) -> None:
        super().__init__(data)
        groups = [(one.label, _other_values(one)) for one in choices]
        offer(self, "what", [("", ""), *groups])

    def facts(self) -> dict[str, str]:
        """What the service takes; only of a valid form."""
        factor, _colon, value = self.cleaned_data["what"].partition(":")
        return {
            "factor": factor,
            "value": value,
            "source": self.cleaned_data["source"],
            "reason": self.cleaned_data["reason"],
        }


class LateForm(forms.Form):
    """A randomisation by telephone: when, and why the system was not used. The arm is not asked for."""

    happened_on = DayField(label=gettext_lazy("Day of the telephone call"))
    happened_clock = ClockField(label=gettext_lazy("Time of the telephone call"))
    reason = forms.CharField(
        label=gettext_lazy("Why the system was not used"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    stands_at = {"happened_at": "happened_on"}

    def __init__(self, data: QueryDict | None = None, *, timezone: str) -> None:
        super().__init__(data)
        self.timezone = timezone

    def clean(self) -> dict[str, Any]:
        super().clean()
        add_instant(self, "happened", self.timezone)
        return self.cleaned_data


class ConfirmLateForm(forms.Form):
    position = forms.IntegerField(
        label=gettext_lazy("Number of the slot that was read out"), min_value=1, max_value=100_000
    )


def _other_values(one: Correctable) -> list[tuple[str, str]]:
    return [(f"{one.oid}:{item.code}", str(item.label)) for item in one.codes.items if item.code != one.actual]
