"""Invite a person from the server: the way the first administrator comes in. No account exists before it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from pallsoft.accounts.links import set_password_link
from pallsoft.accounts.models import Profession, User
from pallsoft.errors import PallsoftError
from sites.models import Role, Site
from sites.services import assign_role, invite_user
from trials.models import Study


class Command(BaseCommand):
    help = "Make a personal account, send the invitation and print its link."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="full name")
        parser.add_argument("--email", required=True)
        parser.add_argument("--profession", choices=Profession.values, default=Profession.OTHER)
        parser.add_argument("--study", metavar="OID", help="needed with --role")
        parser.add_argument("--role", choices=Role.values)
        parser.add_argument("--site", metavar="CODE", help="without it, the role holds at all sites")

    @transaction.atomic
    def handle(self, *, username: str, name: str, email: str, profession: str, **options: Any) -> None:
        study, site = self._place(options)
        try:
            user = invite_user(
                study=study, username=username, full_name=name, email=email, profession=Profession(profession), by=None
            )
            if study and options["role"]:
                assign_role(study=study, user=user, role=Role(options["role"]), site=site, by=None)
        except PallsoftError as refusal:
            raise CommandError(refusal.message) from None
        self._tell(user)

    def _place(self, options: dict[str, Any]) -> tuple[Study | None, Site | None]:
        if options["role"] and not options["study"]:
            raise CommandError("--role needs --study")
        try:
            study = Study.objects.get(oid=options["study"]) if options["study"] else None
            site = study.sites.get(code=options["site"]) if study and options["site"] else None
        except (Study.DoesNotExist, Site.DoesNotExist):
            raise CommandError("There is no such study or site") from None
        return study, site

    def _tell(self, user: User) -> None:
        self.stdout.write(f"{user.full_name} sets a password here, once, within three days:")
        self.stdout.write(set_password_link(user))
