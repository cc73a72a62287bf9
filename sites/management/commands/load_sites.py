"""Make the sites that a file lists; those that are there already stay as they are."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.http import Http404

from sites.centres import Centres, read_centres
from sites.services import create_site
from trials.selectors import study_by_oid


class Command(BaseCommand):
    help = "Make the sites of a study from a file. With any error, all are told and nothing is written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="for example sites/centres/pallsoft.yaml")

    @transaction.atomic
    def handle(self, *, file: Path, **_options: Any) -> None:
        centres = self._checked(file)
        try:
            study = study_by_oid(centres.study)
        except Http404:
            raise CommandError(f"There is no study {centres.study}: load its definition first") from None
        known = set(study.sites.values_list("code", flat=True))
        new = [centre for centre in centres.sites if centre.code not in known]
        for centre in new:
            create_site(study=study, **vars(centre), by=None)
        self.stdout.write(f"{study.oid}: {len(new)} new site(s), {len(known)} known before")

    def _checked(self, file: Path) -> Centres:
        centres, problems = read_centres(file)
        for problem in problems:
            self.stderr.write(str(problem))
        if centres is None:
            raise CommandError(f"{len(problems)} error(s) in {file}; nothing was written")
        return centres
