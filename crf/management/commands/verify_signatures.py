"""`manage.py verify_signatures [--study OID]`: exits with 1 and names the first signature that does not hold."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from crf.models import Signature
from crf.selectors.signature_check import bad_signatures
from trials.models import Study


class Command(BaseCommand):
    help = "Recompute every signature from the data, the trail and the chain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", metavar="OID", help="only this study's signatures")

    def handle(self, *args: Any, **options: Any) -> None:
        study = _study(options["study"])
        found = list(bad_signatures(study))
        for bad in found:
            self.stderr.write(str(bad))
        if found:
            raise CommandError(f"Not every signature holds. First: {found[0]}")
        signatures = Signature.objects.filter(study=study) if study else Signature.objects.all()
        standing = signatures.filter(voided_in=None).count()
        self.stdout.write(f"Every signature holds: {standing} stand, {signatures.count() - standing} are void.")


def _study(oid: str | None) -> UUID | None:
    if oid is None:
        return None
    study = Study.objects.filter(oid=oid).first()
    if study is None:
        raise CommandError(f"There is no study {oid}.")
    return study.pk
