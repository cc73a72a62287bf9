"""The forms of a participant's leaving. The questions are worded to be read aloud; the wording is ours until the trial
decides its own."""

import uuid
from typing import Any
from zoneinfo import ZoneInfo

from crispy_forms.bootstrap import InlineRadios
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout, LayoutObject
from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crf.entry import dates
from crf.entry.refusal import Refused
from sites.clock import database_now, local_today
from sites.fields import ClockField, DayField, YesNoField, add_instant
from sites.identity_guard import identity_numbers
from sites.models import ContactResult, ContactWay, DataWish, DeathCause, DeathPlace, StopKind, Subject, ToldBy
from sites.services import Attempt, DeathFacts, Withdrawal

QUESTIONS = {
    StopKind.TREATMENT: gettext_lazy("Do you want to stop the treatment of the study?"),
    StopKind.QUESTIONNAIRES: gettext_lazy("Do you want to stop answering questionnaires?"),
    StopKind.VISITS: gettext_lazy("Do you want to stop coming to visits and being telephoned?"),
    StopKind.REGISTERS: gettext_lazy("Shall we stop reading in your records and in registers how you are?"),
    StopKind.SAMPLES: gettext_lazy("Shall your samples be destroyed?"),
    StopKind.CONSENT: gettext_lazy("Do you want to withdraw the whole consent to the study?"),
}


class PartialDayField(forms.CharField):
    """1.9.26, or only what is known: 09.2026, 2026. Cleaned to the canonical partial date."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", gettext_lazy("Write what is known: 01.09.2026, 09.2026 or 2026"))
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_length=20, widget=widget, **kwargs)

    def clean(self, value: Any) -> str:
        typed = super().clean(value).strip()
        try:
            return dates.partial_day(typed)
        except Refused as refusal:
            raise forms.ValidationError(refusal.sentence) from None


class DeathForm(forms.Form):
    day = PartialDayField(label=gettext_lazy("Day of death"))
    cause = forms.ChoiceField(label=gettext_lazy("Cause of death"), choices=[("", ""), *DeathCause.choices])
    place = forms.ChoiceField(label=gettext_lazy("Place of death"), choices=[("", ""), *DeathPlace.choices])
    told_by = forms.ChoiceField(label=gettext_lazy("Where it is known from"))

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        others = [choice for choice in ToldBy.choices if choice[0] != ToldBy.PARTICIPANT]
        self.fields["told_by"].choices = [("", ""), *others]  # type: ignore[attr-defined]

    def facts(self) -> DeathFacts:
        """Only of a valid form."""
        return DeathFacts(
            day=self.cleaned_data["day"],
            cause=DeathCause(self.cleaned_data["cause"]),
            place=DeathPlace(self.cleaned_data["place"]),
            told_by=ToldBy(self.cleaned_data["told_by"]),
        )


class WithdrawalForm(forms.Form):
    """One question for each thing that still goes on; each is answered."""

    data_wish = forms.ChoiceField(
        label=gettext_lazy("What shall become of what we have collected about you?"),
        choices=DataWish,
        widget=forms.RadioSelect,
        required=False,
        help_text=gettext_lazy("Ask only when the whole consent is withdrawn."),
    )
    day = DayField(label=gettext_lazy("The day it was said"))
    told_by = forms.ChoiceField(
        label=gettext_lazy("Who said it"), choices=[(one.value, one.label) for one in list(ToldBy)[:3]]
    )
    told_reason = forms.CharField(
        label=gettext_lazy("Reason, only if it is offered"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Nobody has to give a reason. Do not ask for one."),
    )

    def __init__(self, data: QueryDict | None = None, *, subject: Subject, going_on: list[StopKind]) -> None:
        super().__init__(data, initial={"day": local_today(subject.site.timezone)})
        self.kinds = going_on
        for kind in going_on:
            self.fields[kind.value] = YesNoField(label=QUESTIONS[kind])
        if StopKind.CONSENT not in going_on:
            del self.fields["data_wish"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        withdrawn = bool(cleaned.get(StopKind.CONSENT.value))
        if withdrawn and not cleaned.get("data_wish"):
            self.add_error("data_wish", _("Say what shall become of the data, when the consent is withdrawn."))
        if not withdrawn:
            cleaned["data_wish"] = ""
        if identity_numbers(cleaned.get("told_reason", "")):
            self.add_error("told_reason", _("This looks like a national identity number. Take it out."))
        return cleaned

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        wish: list[str | LayoutObject] = [InlineRadios("data_wish")] if "data_wish" in self.fields else []
        helper.layout = Layout(
            Fieldset(
                _("Read each question aloud"),
                *(InlineRadios(kind.value) for kind in self.kinds),
                *wish,
                css_class="form-section",
            ),
            Fieldset(_("About the conversation"), "day", "told_by", "told_reason", css_class="form-section"),
        )
        return helper

    def said(self) -> Withdrawal:
        """Only of a valid form."""
        answers = self.cleaned_data
        return Withdrawal(
            kinds=frozenset(kind for kind in self.kinds if answers[kind.value]),
            day=answers["day"].isoformat(),
            told_by=ToldBy(answers["told_by"]),
            data_wish=DataWish(answers["data_wish"]) if answers.get("data_wish") else None,
            told_reason=answers["told_reason"].strip(),
        )


class AttemptForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput)
    tried_on = DayField(label=gettext_lazy("Tried on"))
    tried_clock = ClockField(label=gettext_lazy("Time of day"))
    way = forms.ChoiceField(label=gettext_lazy("How"), choices=ContactWay)
    result = forms.ChoiceField(label=gettext_lazy("Result"), choices=[("", ""), *ContactResult.choices])
    next_on = DayField(label=gettext_lazy("Try again on"), required=False)

    def __init__(self, data: QueryDict | None = None, *, subject: Subject) -> None:
        self.timezone = subject.site.timezone
        now = database_now().astimezone(ZoneInfo(self.timezone))
        super().__init__(data, initial={"key": uuid.uuid4(), "tried_on": now.date(), "tried_clock": now.time()})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        add_instant(self, "tried", self.timezone)
        return cleaned

    def said(self) -> Attempt:
        """Only of a valid form."""
        told = self.cleaned_data
        return Attempt(
            tried_at=told["tried_at"],
            way=ContactWay(told["way"]),
            result=ContactResult(told["result"]),
            next_on=told["next_on"],
        )


class LostForm(forms.Form):
    day = PartialDayField(label=gettext_lazy("Lost from"))


class DestroyedForm(forms.Form):
    done_on = DayField(label=gettext_lazy("Destroyed on"))
    confirmation = forms.CharField(
        label=gettext_lazy("Who confirmed it, and the reference"), max_length=200, widget=forms.TextInput
    )


class ConfirmErasureForm(forms.Form):
    """The number is typed: nobody erases by a stray click."""

    typed_number = forms.CharField(label=gettext_lazy("Type the subject's number"), max_length=20)
    exceptions = forms.CharField(
        label=gettext_lazy("What the law asks to keep, if anything"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, data: QueryDict | None = None, *, subject: Subject, first: bool) -> None:
        super().__init__(data)
        self.subject = subject
        if not first:
            del self.fields["exceptions"]

    def clean_typed_number(self) -> str:
        typed = str(self.cleaned_data["typed_number"]).strip()
        if typed.upper() != self.subject.number.upper():
            raise forms.ValidationError(_("This is not the number of this subject."))
        return typed
