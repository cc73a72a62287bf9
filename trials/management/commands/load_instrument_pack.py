"""Put the licensed wording of questionnaires into a study."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pallsoft.errors import NotAllowedNow
from trials.management.users import user_named
from trials.models import Study
from trials.packs import Pack, read_pack
from trials.services import load_packs


class Command(BaseCommand):
    help = (
        "Publish the newest version of a study once more in the words of instrument packs (docs/instrument_packs.md). "
        "With any error, all are told and nothing is written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="the OID of the study, for example PALLSOFT")
        parser.add_argument("files", nargs="+", type=Path, help="a pack each, in YAML")
        parser.add_argument("--by", metavar="USERNAME", help="who loads it; without it, the system")

    def handle(self, *, study: str, files: list[Path], by: str | None, **_options: Any) -> None:
        found = Study.objects.filter(oid=study).first()
        if found is None or not found.versions.exists():
            raise CommandError(f"There is no published study {study}: load it first (load_study)")
        packs = [self._read(file) for file in files]
        try:
            published = load_packs(study=found, packs=packs, by=user_named(by))
        except NotAllowedNow as refusal:
            raise CommandError(f"{refusal.message}\nNothing was written.") from None
        titles = ", ".join(pack.title for pack in packs)
        if published.is_new:
            told = (
                f"{titles}: published as version {published.version.number}. Each site approves it before it is used."
            )
        else:
            told = f"{titles}: version {published.version.number} says all this already; nothing to do"
        self.stdout.write(told)

    def _read(self, file: Path) -> Pack:
        pack, problems = read_pack(file)
        for problem in problems:
            self.stderr.write(str(problem))
        if pack is None:
            raise CommandError(f"{len(problems)} error(s) in {file}; nothing was written")
        return pack
