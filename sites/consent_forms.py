"""The consent as it was signed, and the person who signed it; options and languages come from the definition."""

import uuid
from typing import Any

from crispy_forms.bootstrap import InlineRadios
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Fieldset, Layout, LayoutObject
from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pallsoft.accounts.models import User
from sites.fields import LANGUAGES, YES_NO, ClockField, DayField, YesNoField, add_instant, offer, offer_rows
from sites.models import Sex, Site
from sites.selectors import LookAlike, definition_at, staff_of
from sites.services import ConsentFacts
from sites.services.consent import needs_adult_answer

SEPARATOR = "|"


class ConsentForm(forms.Form):
    """A signed consent form, read off the paper, which itself stays at the site."""

    version = forms.ChoiceField(label=gettext_lazy("Version of the consent form"))
    signed_on = DayField(label=gettext_lazy("Signed on"))
    signed_clock = ClockField(label=gettext_lazy("Signed at"))
    language = forms.ChoiceField(label=gettext_lazy("Language of the form"), widget=forms.RadioSelect)
    informed_by = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Who gave the information"), empty_label=gettext_lazy("Choose …")
    )
    copy_given = YesNoField(label=gettext_lazy("The person got a copy"))
    interpreter_language = forms.CharField(
        label=gettext_lazy("Interpreter: language"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Empty: no interpreter took part."),
    )
    stands_at = {"signed_at": "signed_on"}

    def __init__(self, data: QueryDict | None = None, *, site: Site, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.site = site
        definition = definition_at(site)
        self.options = definition.consent.options
        offer(self, "version", [(v.version, v.version) for v in reversed(definition.consent.versions)])
        offer(self, "language", [(code, LANGUAGES[code]) for code in definition.languages])
        offer_rows(self, "informed_by", staff_of(site))
        for option in self.options:
            self.fields[option.oid] = YesNoField(label=str(option.label))

    def clean(self) -> dict[str, Any]:
        super().clean()
        add_instant(self, "signed", self.site.timezone)
        return self.cleaned_data

    @property
    def helper(self) -> FormHelper:
        """Made when the page is shown: which questions are asked is known by then."""
        helper = FormHelper()
        helper.form_tag = False
        helper.layout = Layout(*self.sections())
        return helper

    def sections(self) -> list[Fieldset]:
        """The page: the paper, then what was ticked on it."""
        paper = [Div("signed_on", "signed_clock", css_class="grid-2")]
        rest = ["language", "informed_by", "copy_given", "interpreter_language"]
        return [
            _section(_("The consent form"), "version", *paper, *map(self.shown, rest)),
            _section(_("What was consented to"), *(self.shown(option.oid) for option in self.options)),
        ]

    def shown(self, name: str) -> str | LayoutObject:
        """Radio buttons lie side by side."""
        return InlineRadios(name) if isinstance(self.fields[name].widget, forms.RadioSelect) else name

    def consent(self) -> ConsentFacts:
        """What the page says, for the service; only of a valid form."""
        answers = self.cleaned_data
        return ConsentFacts(
            version=answers["version"],
            signed_at=answers["signed_at"],
            language=answers["language"],
            informed_by=answers["informed_by"],
            copy_given=answers["copy_given"],
            interpreter_language=answers["interpreter_language"],
            options={option.oid: answers[option.oid] for option in self.options},
        )


class EnrolForm(ConsentForm):
    """The person and the consent. Two questions show themselves only when they are needed: of age, another person."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    birth_year = forms.IntegerField(
        label=gettext_lazy("Year of birth"), min_value=1900, max_value=9999, localize=False, widget=forms.TextInput
    )
    sex = forms.ChoiceField(label=gettext_lazy("Sex"), choices=Sex, widget=forms.RadioSelect)
    adult_at_consent = YesNoField(label=gettext_lazy("18 years old on the day of consent?"), required=False)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    another_person = forms.BooleanField(
        label=gettext_lazy("I have checked: this is another person"), required=False, widget=forms.HiddenInput
    )

    def __init__(self, data: QueryDict | None = None, *, site: Site) -> None:
        super().__init__(data, site=site, initial={"key": uuid.uuid4()})
        if not self.data.get("adult_at_consent"):
            self.fields["adult_at_consent"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "birth_year" not in cleaned or "signed_at" not in cleaned:
            return cleaned
        if not needs_adult_answer(cleaned["birth_year"], cleaned["signed_at"], self.site):
            cleaned["adult_at_consent"] = None
        elif cleaned.get("adult_at_consent") is None:
            self.fields["adult_at_consent"].widget = forms.RadioSelect(choices=YES_NO)
            self.add_error("adult_at_consent", _("Was the person 18 or older on the day of consent?"))
        return cleaned

    field_order = ["birth_year", "sex", "adult_at_consent"]

    def sections(self) -> list[Fieldset]:
        person = ["key", "seen", "birth_year", "sex", "adult_at_consent", "another_person"]
        return [_section(_("The person"), *map(self.shown, person)), *super().sections()]

    def seen_labels(self) -> list[str]:
        """The look-alikes that the person was shown and set apart."""
        shown = self.cleaned_data["seen"].split(SEPARATOR)
        return shown if self.cleaned_data["another_person"] else []

    def ask_about(self, found: list[LookAlike]) -> None:
        """Show the tick "another person" and remember which look-alikes it is about."""
        asked = {name: value for name, value in self.data.items() if name != "another_person"}
        self.data = asked | {"seen": SEPARATOR.join(other.label for other in found)}
        self.fields["another_person"].widget = forms.CheckboxInput()


def _section(title: str, *fields: str | LayoutObject) -> Fieldset:
    return Fieldset(title, *fields, css_class="form-section")
