"""Fields of the administrative forms: days and clock times as they are typed in Norway, in both languages."""

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

DAY_FORMATS = ["%d.%m.%Y", "%d.%m.%y", "%Y-%m-%d"]
CLOCK_FORMATS = ["%H:%M", "%H.%M"]
MONTH_FORMATS = ["%m.%Y", "%Y-%m", "%m.%y"]
YES_NO = (("Y", gettext_lazy("Yes")), ("N", gettext_lazy("No")))
LANGUAGES = {"nb": gettext_lazy("Norwegian"), "en": gettext_lazy("English")}


class DayField(forms.DateField):
    """1.9.26, 01.09.2026 or 2026-09-01."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", gettext_lazy("Day, month, year, such as 01.09.2026"))
        super().__init__(
            input_formats=DAY_FORMATS,
            widget=forms.DateInput(format=DAY_FORMATS[0], attrs={"inputmode": "numeric", "autocomplete": "off"}),
            error_messages={"invalid": gettext_lazy("Write the day as 01.09.2026.")},
            **kwargs,
        )


class ClockField(forms.TimeField):
    """14:32 or 14.32."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=CLOCK_FORMATS,
            widget=forms.TimeInput(format=CLOCK_FORMATS[0], attrs={"autocomplete": "off"}),
            error_messages={"invalid": gettext_lazy("Write the time as 14:32.")},
            help_text=gettext_lazy("24 hours, such as 14:32"),
            **kwargs,
        )


class MonthField(forms.DateField):
    """09.2026 or 2026-09; cleans to the first day of the month."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=MONTH_FORMATS,
            widget=forms.DateInput(format=MONTH_FORMATS[0], attrs={"inputmode": "numeric", "autocomplete": "off"}),
            error_messages={"invalid": gettext_lazy("Write the month as 09.2026.")},
            help_text=gettext_lazy("Month and year, such as 09.2026"),
            **kwargs,
        )


class YesNoField(forms.TypedChoiceField):
    """Two radio buttons, none chosen at first; cleans to True, False or, when not required, None."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=YES_NO, coerce=lambda answer: answer == "Y", empty_value=None, widget=forms.RadioSelect, **kwargs
        )


def offer(form: forms.Form, name: str, choices: list[Any]) -> None:
    """Give a ChoiceField its choices, which are known only when the form is made."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def offer_rows(form: forms.Form, name: str, rows: QuerySet[Any]) -> None:
    """Give a ModelChoiceField the rows that this person may choose from."""
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows


def instant(day: date, clock: time, timezone: str) -> datetime:
    """The instant (UTC) of a local day and time.

    Raises ValidationError for one that summer time skips; of an hour that comes twice, the first is meant.
    """
    local = datetime.combine(day, clock)
    at = local.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)
    if at.astimezone(ZoneInfo(timezone)).replace(tzinfo=None) != local:
        raise forms.ValidationError(_("The clock skipped this time that night. Give the true time."))
    return at


def add_instant(form: forms.Form, name: str, timezone: str) -> None:
    """In `clean`: put `<name>_at` beside the cleaned `<name>_on` and `<name>_clock`, or an error at the clock."""
    cleaned = form.cleaned_data
    if cleaned.get(f"{name}_on") is None or cleaned.get(f"{name}_clock") is None:
        return
    try:
        cleaned[f"{name}_at"] = instant(cleaned[f"{name}_on"], cleaned[f"{name}_clock"], timezone)
    except forms.ValidationError as error:
        form.add_error(f"{name}_clock", error)
