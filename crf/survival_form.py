"""The form of a survival check: one day for all, and a box for each participant of the site."""

from collections.abc import Collection
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sites.fields import DayField

BOX = "seen-"  # before the number: a box of verify.js


class SurvivalForm(forms.Form):
    day = DayField(label=gettext_lazy("Alive in the record on"))

    def __init__(self, data: QueryDict | None = None, *, numbers: Collection[str], today: date) -> None:
        super().__init__(data, initial={"day": today})
        self.numbers = numbers
        self.stands_at = {number: f"{BOX}{number}" for number in numbers}
        for number, name in self.stands_at.items():
            self.fields[name] = forms.BooleanField(label=number, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.ticked():
            self.add_error(None, _("Tick at least one participant who is alive by the record."))
        return cleaned

    def ticked(self) -> set[str]:
        """The numbers; only of a bound form that is being, or was, cleaned."""
        return {number for number, name in self.stands_at.items() if self.cleaned_data.get(name)}


def ticked_in(data: QueryDict) -> set[str]:
    """The numbers that somebody ticked, also of those who are no longer on the page."""
    return {name.removeprefix(BOX) for name in data if name.startswith(BOX)}
