"""People. Roles are not here: they are assignments to a study and a site (sites.Assignment)."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from pallsoft.audit.models import RegulatedModel


class Profession(models.TextChoices):
    PHYSICIAN = "physician", _("Physician")
    NURSE = "nurse", _("Nurse")
    OTHER = "other", _("Other")


class Verification(models.TextChoices):
    """How somebody's identity was verified, before that person may sign (21 CFR 11.100(b), SIG-07)."""

    PASSPORT = "passport", _("Passport")
    ID_CARD = "id_card", _("National identity card")
    DRIVING_LICENCE = "driving_licence", _("Driving licence")
    ELECTRONIC = "electronic", _("Electronic identity, such as BankID")
    EMPLOYER = "employer", _("Known at the hospital and confirmed by its personnel office")


class UserManager(BaseUserManager["User"]):
    """Finds users by their name in any case, so that two names never differ by case alone."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username__iexact=username)


class User(AbstractBaseUser, RegulatedModel):
    """A personal account: never deleted, never given to another person (21 CFR 11.100(a))."""

    username = models.CharField(_("user name"), max_length=60, unique=True)
    full_name = models.CharField(_("full name"), max_length=120)
    email = models.EmailField(_("e-mail"), unique=True)
    profession = models.CharField(_("profession"), max_length=10, choices=Profession, default=Profession.OTHER)
    language = models.CharField(_("language"), max_length=2, default="nb")
    is_active = models.BooleanField(_("active"), default=True)
    verified_by = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    verified_at = models.DateTimeField(null=True)
    verified_how = models.CharField(max_length=16, choices=Verification, null=True)

    objects = UserManager()
    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email", "full_name"]

    class Meta:
        constraints = [
            models.UniqueConstraint(models.functions.Lower("username"), name="user_name_once"),
            models.UniqueConstraint(models.functions.Lower("email"), name="user_email_once"),
        ]

    def __str__(self) -> str:
        return self.full_name
