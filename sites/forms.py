"""The administrative forms. What they know of a trial comes from its definition."""

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pallsoft.accounts.models import Profession, User, Verification
from sites.clock import local_today
from sites.fields import LANGUAGES, ClockField, DayField, MonthField, add_instant, offer, offer_rows
from sites.models import TRANSITIONS, AgeBand, Role, ScreeningOutcome, Sex, Site, Task
from trials.models import Status, StudyVersion


class ScreeningForm(forms.Form):
    """One person considered: no name, no day of birth, the month only."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    site = forms.ModelChoiceField(Site.objects.none(), label=gettext_lazy("Site"), empty_label=None)
    screened_in = MonthField(label=gettext_lazy("Month of screening"))
    age_band = forms.ChoiceField(label=gettext_lazy("Age"), choices=[("", ""), *AgeBand.choices])
    sex = forms.ChoiceField(label=gettext_lazy("Sex"), choices=[("", ""), *Sex.choices])

    def __init__(self, data: QueryDict | None = None, *, sites: QuerySet[Site]) -> None:
        super().__init__(data, initial={"key": uuid.uuid4()})
        offer_rows(self, "site", sites.select_related("study"))


class CloseScreeningForm(forms.Form):
    """Why a person did not go on; the choices are "outcome:code"."""

    why = forms.ChoiceField(label=gettext_lazy("Why did the person not go on?"))

    def __init__(
        self, data: QueryDict | None = None, *, reasons: dict[ScreeningOutcome, list[tuple[str, str]]]
    ) -> None:
        super().__init__(data)
        groups = [(outcome.label, _coded(outcome, choices)) for outcome, choices in reasons.items()]
        offer(self, "why", [("", ""), *groups])

    def clean_why(self) -> tuple[ScreeningOutcome, str]:
        outcome, code = self.cleaned_data["why"].split(":", 1)
        return ScreeningOutcome(outcome), code


class InviteForm(forms.Form):
    username = forms.CharField(label=gettext_lazy("User name"), max_length=60)
    full_name = forms.CharField(label=gettext_lazy("Full name"), max_length=120)
    email = forms.EmailField(label=gettext_lazy("E-mail"))
    profession = forms.ChoiceField(label=gettext_lazy("Profession"), choices=Profession)
    language = forms.ChoiceField(label=gettext_lazy("Language of messages"), choices=LANGUAGES)


class VerifyForm(forms.Form):
    how = forms.ChoiceField(
        label=gettext_lazy("How was the identity verified?"),
        choices=[("", gettext_lazy("Choose …")), *Verification.choices],
    )


class AssignForm(forms.Form):
    """The person is named by the user name: no list of everybody is shown."""

    username = forms.CharField(label=gettext_lazy("User name"), max_length=60)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=[("", ""), *Role.choices])
    site = forms.ModelChoiceField(
        Site.objects.none(), label=gettext_lazy("Site"), required=False, empty_label=gettext_lazy("All sites")
    )
    valid_from = DayField(label=gettext_lazy("First day"))
    valid_until = DayField(label=gettext_lazy("Last day"), required=False)

    def __init__(self, data: QueryDict | None = None, *, sites: QuerySet[Site], timezone: str) -> None:
        super().__init__(data, initial={"valid_from": local_today(timezone)})
        offer_rows(self, "site", sites)

    def clean_username(self) -> str:
        name = str(self.cleaned_data["username"]).strip().lower()
        self.user = User.objects.filter(username=name, is_active=True).first()
        if self.user is None:
            raise forms.ValidationError(_("Nobody has this user name. Invite the person first."))
        return name

    def facts(self) -> dict[str, Any]:
        """What the service takes; only of a valid form."""
        return {name: self.cleaned_data[name] for name in ("role", "site", "valid_from", "valid_until")} | {
            "user": self.user
        }


class DelegateForm(forms.Form):
    user = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Person"), empty_label=gettext_lazy("Choose …")
    )
    task = forms.ChoiceField(label=gettext_lazy("Task"), choices=[("", ""), *Task.choices])
    valid_from = DayField(label=gettext_lazy("First day"))
    valid_until = DayField(label=gettext_lazy("Last day"), required=False)

    def __init__(self, data: QueryDict | None = None, *, site: Site, staff: QuerySet[User]) -> None:
        super().__init__(data, initial={"valid_from": local_today(site.timezone)})
        offer_rows(self, "user", staff)


class ReasonForm(forms.Form):
    """Why something that stands is changed."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class EndForm(ReasonForm):
    last_day = DayField(label=gettext_lazy("Last day"), help_text=gettext_lazy("Yesterday's date ends it at once."))
    field_order = ["last_day", "reason"]


class WithdrawForm(ReasonForm):
    withdrawn_on = DayField(label=gettext_lazy("Withdrawn on"))
    withdrawn_clock = ClockField(label=gettext_lazy("Withdrawn at"))
    field_order = ["withdrawn_on", "withdrawn_clock", "reason"]
    stands_at = {"withdrawn_at": "withdrawn_on"}

    def __init__(self, data: QueryDict | None = None, *, timezone: str) -> None:
        super().__init__(data)
        self.timezone = timezone

    def clean(self) -> dict[str, Any]:
        super().clean()
        add_instant(self, "withdrawn", self.timezone)
        return self.cleaned_data


class StatusForm(ReasonForm):
    """The next state of a site or of the trial; only those that may follow are offered."""

    status = forms.ChoiceField(label=gettext_lazy("New state"))
    field_order = ["status", "since", "reason"]

    def __init__(self, data: QueryDict | None = None, *, current: str) -> None:
        super().__init__(data)
        offer(self, "status", _choices(TRANSITIONS[Status(current)]))


class SiteStatusForm(StatusForm):
    since = DayField(label=gettext_lazy("From"))


class SitePhoneForm(forms.Form):
    phone = forms.RegexField(
        r"^\+?[0-9][0-9 ]{6,17}[0-9]$",
        label=gettext_lazy("Telephone that participants ring"),
        help_text=gettext_lazy("Such as 75 53 40 00"),
        error_messages={"invalid": gettext_lazy("Write the number with digits and spaces only.")},
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )


class ApproveVersionForm(forms.Form):
    version = forms.ModelChoiceField(
        StudyVersion.objects.none(), label=gettext_lazy("Version"), empty_label=gettext_lazy("Choose …")
    )
    ethics_approved_on = DayField(label=gettext_lazy("Approved by the ethics committee on"))
    ethics_reference = forms.CharField(label=gettext_lazy("Reference of the approval"), max_length=60)
    active_from = DayField(label=gettext_lazy("In use at the site from"))

    def __init__(self, data: QueryDict | None = None, *, versions: QuerySet[StudyVersion]) -> None:
        super().__init__(data)
        offer_rows(self, "version", versions)


class ArmedForm(ReasonForm):
    """An act on the whole trial, with its reason, armed by typing the trial's name."""

    typed = forms.CharField(label=gettext_lazy("Type the name of the trial"))
    field_order = ["reason", "typed"]

    def __init__(self, data: QueryDict | None = None, *, study_oid: str) -> None:
        super().__init__(data)
        self.study_oid = study_oid

    def clean_typed(self) -> str:
        typed = str(self.cleaned_data["typed"])
        if typed.strip().upper() != self.study_oid.upper():
            raise forms.ValidationError(_("Type %(oid)s to confirm.") % {"oid": self.study_oid})
        return typed


def _coded(outcome: ScreeningOutcome, choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(f"{outcome.value}:{code}", words) for code, words in choices]


def _choices(states: Iterable[Status]) -> list[tuple[str, Any]]:
    return [(state.value, state.label) for state in sorted(states, key=list(Status).index)]
