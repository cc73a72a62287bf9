"""What was recorded wrongly at enrolment, as it stands, to be put right with a reason."""

from typing import Any
from zoneinfo import ZoneInfo

from crispy_forms.layout import Fieldset
from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sites.consent_forms import ConsentForm
from sites.fields import YesNoField
from sites.forms import ReasonForm
from sites.models import Consent, Sex, Subject

YES_NO: dict[bool | None, str] = {True: "Y", False: "N"}


class CorrectSubjectForm(ReasonForm):
    birth_year = forms.IntegerField(
        label=gettext_lazy("Year of birth"), min_value=1900, max_value=9999, localize=False, widget=forms.TextInput
    )
    sex = forms.ChoiceField(label=gettext_lazy("Sex"), choices=Sex, widget=forms.RadioSelect)
    adult_at_consent = YesNoField(
        label=gettext_lazy("18 years old on the day of consent?"),
        required=False,
        help_text=gettext_lazy("Only when the person turned 18 in the year of consent."),
    )
    field_order = ["birth_year", "sex", "adult_at_consent", "reason"]

    def __init__(self, data: QueryDict | None = None, *, subject: Subject) -> None:
        adult = YES_NO.get(subject.adult_at_consent)
        stands = {"birth_year": subject.birth_year, "sex": subject.sex, "adult_at_consent": adult}
        super().__init__(data, initial=stands)


class CorrectConsentForm(ConsentForm, ReasonForm):
    """The page of the consent as it stands, and why it is corrected."""

    def __init__(self, data: QueryDict | None = None, *, consent: Consent) -> None:
        super().__init__(data, initial=_as_it_stands(consent), site=consent.subject.site)

    def sections(self) -> list[Fieldset]:
        return [*super().sections(), Fieldset(_("Why it is corrected"), "reason", css_class="form-section")]


def _as_it_stands(consent: Consent) -> dict[str, Any]:
    signed = consent.signed_at.astimezone(ZoneInfo(consent.subject.site.timezone))
    return {
        "version": consent.version,
        "signed_on": signed.date(),
        "signed_clock": signed.time(),
        "language": consent.language,
        "informed_by": consent.informed_by_id,
        "copy_given": YES_NO[consent.copy_given],
        "interpreter_language": consent.interpreter_language,
    } | {option.option: YES_NO[option.granted] for option in consent.options.all()}
