"""`manage.py verify_audit [--study OID]`: exits with 1 and names the first bad row when the trail does not hold."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from pallsoft.audit.verification import findings


class Command(BaseCommand):
    help = "Recompute the chains, and compare every regulated table with its trail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", metavar="OID", help="only this study's chain and tables")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(findings(_study(options["study"])))
        for finding in found:
            self.stderr.write(str(finding))
        if found:
            raise CommandError(f"The trail does not hold. First: {found[0]}")
        self.stdout.write("The trail holds: every link, every digest and every table.")


def _study(oid: str | None) -> UUID | None:
    if oid is None:
        return None
    # Looked up by name: this app stands below the one that knows studies.
    study = apps.get_model("trials", "Study").objects.filter(oid=oid).first()
    if study is None:
        raise CommandError(f"There is no study {oid}.")
    return study.pk
