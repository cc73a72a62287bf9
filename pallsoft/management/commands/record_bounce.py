"""Read one mail that came back, as a mail server hands it to a program."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from pallsoft.outbox.bounces import record_bounce


class Command(BaseCommand):
    help = "Read a delivery report on standard input; when it is about a mail of ours, that one is a dead letter."

    def handle(self, **_options: Any) -> None:
        found = record_bounce(sys.stdin.buffer.read())
        self.stdout.write("A mail of ours did not arrive" if found else "About no mail of ours, or not failed for good")
