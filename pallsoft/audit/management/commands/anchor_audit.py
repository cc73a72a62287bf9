"""`manage.py anchor_audit [--why TEXT]`: notes the head of every chain in the file outside the database (AUD-08)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from pallsoft.audit.anchors import anchor_now, path


class Command(BaseCommand):
    help = "Append the heads of all chains to the file of anchors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--why", default="by hand", metavar="TEXT", help="stands in the line")

    def handle(self, *args: Any, **options: Any) -> None:
        added = anchor_now(None, options["why"])
        self.stdout.write(f"{added} anchors added to {path()}.")
