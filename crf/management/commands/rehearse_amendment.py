"""`manage.py rehearse_amendment DIR --study OID`: what a new version would change, per subject. Writes nothing."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crf.selectors.rehearsal import SubjectRehearsal, rehearsed
from trials.amendment import broken_promises, differences
from trials.checker import Loaded, check
from trials.definition import definition_of
from trials.models import Study
from trials.selectors import live_version


class Command(BaseCommand):
    help = "Show what the version in a directory would change: in the documents, and for each subject."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, help="for example trials/definitions/pallsoft")
        parser.add_argument("--study", metavar="OID", required=True)

    def handle(self, *, directory: Path, study: str, **_options: Any) -> None:
        known = Study.objects.filter(oid=study).first()
        if known is None:
            raise CommandError(f"There is no study {study}.")
        loaded = self._checked(directory, study)
        live = definition_of(live_version(known))
        self.stdout.write(f"{study}: version {live.version} is published, version {loaded.study.version} is rehearsed")
        for one in differences(live, loaded.study):
            place = f" ({one.where})" if one.where else ""
            self.stdout.write(f"  {one.act:8} {one.what} {one.oid}: {one.label}{place}")
            for detail in one.details:
                self.stdout.write(f"           {detail}")
        for subject in rehearsed(known, loaded.study):
            self._tell(subject)
        if broken := broken_promises(live, loaded.study):
            raise CommandError("This version cannot be published. " + " ".join(broken))

    def _checked(self, directory: Path, study: str) -> Loaded:
        loaded, problems = check(directory)
        for problem in problems:
            self.stderr.write(str(problem))
        if loaded is None:
            raise CommandError(f"{directory} holds errors; nothing was rehearsed")
        if loaded.study.oid != study:
            raise CommandError(f"{directory} is a version of {loaded.study.oid}, not of {study}")
        return loaded

    def _tell(self, found: SubjectRehearsal) -> None:
        if not found.is_touched:
            self.stdout.write(f"{found.subject.number}: nothing changes")
            return
        self.stdout.write(f"{found.subject.number} (site uses version {found.version}):")
        for word, effects in (
            ("appears", found.appears),
            ("retires, kept", found.retires),
            ("recalculates if moved", found.recalculates),
            ("asked about if moved", found.queries),
        ):
            for effect in effects:
                self.stdout.write(f"  {word}: {effect.where}: {effect.what}")
        if found.consent:
            self.stdout.write(f"  consent: version {found.consent} is to be signed before the next visit")
