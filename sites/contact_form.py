"""Contact data as they are typed: telephone and e-mail twice, since a slip would reach a stranger."""

from typing import Any

from crispy_forms.bootstrap import InlineRadios
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Layout
from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sites.fields import LANGUAGES, offer
from sites.models import Channel, Site
from sites.phones import as_written, bare
from sites.selectors import definition_at
from sites.services.contact import ContactFacts

OFF = {"autocomplete": "off"}  # a computer that others use remembers nothing


class ContactForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, required=False, widget=forms.TextInput(OFF),
        help_text=gettext_lazy("Only if you need it to be sure who it is."),
    )  # fmt: skip
    phone = forms.CharField(
        label=gettext_lazy("Mobile number"), max_length=20, required=False,
        widget=forms.TextInput(OFF | {"inputmode": "tel"}),
    )  # fmt: skip
    phone_again = forms.CharField(
        label=gettext_lazy("Mobile number once more"), max_length=20, required=False,
        widget=forms.TextInput(OFF | {"inputmode": "tel"}),
    )  # fmt: skip
    mail = forms.CharField(
        label=gettext_lazy("E-mail address"), max_length=120, required=False,
        widget=forms.TextInput(OFF | {"inputmode": "email"}),
    )  # fmt: skip
    mail_again = forms.CharField(
        label=gettext_lazy("E-mail address once more"), max_length=120, required=False,
        widget=forms.TextInput(OFF | {"inputmode": "email"}),
    )  # fmt: skip
    channels = forms.MultipleChoiceField(
        label=gettext_lazy("The participant has agreed to get"),
        choices=Channel,
        required=False,  # the service says what is missing
        widget=forms.CheckboxSelectMultiple,
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of the messages"), widget=forms.RadioSelect)

    def __init__(self, data: QueryDict | None, *, site: Site, stored: ContactFacts | None) -> None:
        super().__init__(data, initial=_initial(stored) if stored else None)
        offer(self, "language", [(code, LANGUAGES[code]) for code in definition_at(site).languages])

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.layout = Layout(
            "name",
            Div("phone", "phone_again", css_class="grid-2"),
            Div("mail", "mail_again", css_class="grid-2"),
            "channels",
            InlineRadios("language"),
        )
        return helper

    def clean(self) -> dict[str, Any]:
        super().clean()
        given = self.cleaned_data
        if bare(given.get("phone", "")) != bare(given.get("phone_again", "")):
            self.add_error("phone_again", _("The two numbers differ. Write the number anew in both fields."))
        if given.get("mail", "").lower() != given.get("mail_again", "").lower():
            self.add_error("mail_again", _("The two addresses differ. Write the address anew in both fields."))
        return given

    def facts(self) -> ContactFacts:
        given = self.cleaned_data
        return ContactFacts(
            name=given["name"],
            phone=given["phone"],
            mail=given["mail"],
            channels=frozenset(map(Channel, given["channels"])),
            language=given["language"],
        )


def _initial(stored: ContactFacts) -> dict[str, Any]:
    phone = as_written(stored.phone)
    return {
        "name": stored.name,
        "phone": phone,
        "phone_again": phone,
        "mail": stored.mail,
        "mail_again": stored.mail,
        "channels": sorted(stored.channels),
        "language": stored.language,
    }
