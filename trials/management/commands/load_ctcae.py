"""Load NCI's table of the Common Terminology Criteria for Adverse Events."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pallsoft.errors import NotAllowedNow
from trials.ctcae.file import CtcaeFile, Refused, read_file
from trials.ctcae.services import load_table


class Command(BaseCommand):
    help = "Load NCI's table of CTCAE 5.0 or 6.0 from a CSV file. With any error, it is told and nothing is written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a CSV file of NCI's table, in UTF-8")

    def handle(self, *, file: Path, **_options: Any) -> None:
        table = _read(file)
        try:
            is_new = load_table(file=table)
        except NotAllowedNow as refusal:
            raise CommandError(refusal.message) from None
        done = f"{len(table.terms)} terms loaded" if is_new else "is loaded already, with the same content"
        self.stdout.write(f"CTCAE {table.version}: {done} (SHA-256 {table.sha256})")


def _read(file: Path) -> CtcaeFile:
    try:
        return read_file(file.read_bytes())
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    except Refused as refusal:
        raise CommandError(f"{file}: {refusal} Nothing was written.") from None
