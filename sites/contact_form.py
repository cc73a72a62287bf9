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
from sites.services.contact import ContactFacts, sendable, wrong_in


def typed(label: Any, longest: int, keyboard: str = "text", help_text: Any = "") -> forms.CharField:
    """A line that may stay empty; a computer that others use remembers nothing of it."""
    widget = forms.TextInput({"autocomplete": "off", "inputmode": keyboard})
    return forms.CharField(label=label, max_length=longest, required=False, widget=widget, help_text=help_text)


class ContactForm(forms.Form):
    name = typed(gettext_lazy("Name"), 80, help_text=gettext_lazy("Only if you need it to be sure who it is."))
    phone = typed(gettext_lazy("Mobile number"), 20, "tel")
    phone_again = typed(gettext_lazy("Mobile number once more"), 20, "tel")
    mail = typed(gettext_lazy("E-mail address"), 120, "email")
    mail_again = typed(gettext_lazy("E-mail address once more"), 120, "email")
    channels = forms.MultipleChoiceField(
        label=gettext_lazy("The participant has agreed to get"),
        required=False,  # `wrong_in` says what is missing
        widget=forms.CheckboxSelectMultiple,
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of the messages"), widget=forms.RadioSelect)

    def __init__(self, data: QueryDict | None, *, site: Site, stored: ContactFacts | None) -> None:
        languages = definition_at(site).languages
        super().__init__(data, initial=_initial(stored) if stored else {"language": languages[0]})
        offer(self, "language", [(code, LANGUAGES[code]) for code in languages])
        agreed = stored.channels if stored else frozenset()
        offer(self, "channels", [(one, one.label) for one in Channel if one in agreed or one in sendable()])

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
        """Everything that is wrong is told at once, also what `keep_contact` would refuse."""
        super().clean()
        given = self.cleaned_data
        if bare(given.get("phone", "")) != bare(given.get("phone_again", "")):
            self.add_error("phone_again", _("The two numbers differ. Write the number anew in both fields."))
        if given.get("mail", "").lower() != given.get("mail_again", "").lower():
            self.add_error("mail_again", _("The two addresses differ. Write the address anew in both fields."))
        for name, sentences in wrong_in(self.facts()).items():
            self.add_error(name, sentences)
        return given

    def facts(self) -> ContactFacts:
        """What is missing or could not be read stands as empty."""
        given = self.cleaned_data
        return ContactFacts(
            name=given.get("name", ""),
            phone=given.get("phone", ""),
            mail=given.get("mail", ""),
            channels=frozenset(map(Channel, given.get("channels", []))),
            language=given.get("language", ""),
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
