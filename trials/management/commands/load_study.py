"""Check the files of a trial and publish them as a version of its study."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pallsoft.errors import NotAllowedNow
from trials.checker import Loaded, check
from trials.management.users import user_named
from trials.services import publish_version


class Command(BaseCommand):
    help = "Check the files of a trial and publish them. With any error, all are told and nothing is written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, help="for example trials/definitions/pallsoft")
        parser.add_argument("--check", action="store_true", help="only check; writes nothing, needs no database")
        parser.add_argument("--by", metavar="USERNAME", help="who publishes; without it, the system")

    def handle(self, *, directory: Path, check: bool, by: str | None, **_options: Any) -> None:
        loaded = self._checked(directory)
        title = f"{loaded.study.oid} version {loaded.study.version}"
        if check:
            self.stdout.write(f"{title}: no errors (SHA-256 {loaded.sha256})")
            return
        try:
            published = publish_version(loaded=loaded, by=user_named(by))
        except NotAllowedNow as refusal:
            raise CommandError(refusal.message) from None
        done = "published" if published.is_new else "is published already, with the same content: nothing to do"
        self.stdout.write(f"{title} {done} (SHA-256 {loaded.sha256})")

    def _checked(self, directory: Path) -> Loaded:
        loaded, problems = check(directory)
        for problem in problems:
            self.stderr.write(str(problem))
        if loaded is None:
            errors = sum(not problem.warning for problem in problems)
            raise CommandError(f"{errors} error(s) in {directory}; nothing was written")
        return loaded
