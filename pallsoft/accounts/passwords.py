"""Words that a guesser of this product's passwords tries first (ACC-06)."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

OWN_WORDS = ("pallsoft", "haukeland", "nordland", "ullevål", "radiumhospitalet", "telemark", "st. olav", "passord")


class OwnWordsValidator:
    """Refuses passwords built on the name of the product or of a hospital."""

    def validate(self, password: str, user: object = None) -> None:
        if any(word in password.lower() for word in OWN_WORDS):
            raise ValidationError(_("Choose a password without the names of the trial, a hospital or 'passord'."))

    def get_help_text(self) -> str:
        return _("Use at least 12 characters; several words are easy to remember.")
