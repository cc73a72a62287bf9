"""`manage.py randomization_list generate | import | confirm | verify`: the life of a sealed list."""

import os
import secrets
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput, PallsoftError
from randomization.generator import SEED_BYTES, Plan
from randomization.list_file import BadList, Seal, commitment, read_list, read_seal, reproduces, write_list, write_seal
from randomization.models import Purpose, Scheme
from randomization.selectors import findings
from randomization.services.lists import confirm_list, import_list
from randomization.strata import arms_of, strata_of
from trials.checker import check
from trials.definition import StudyDef
from trials.models import Mode, Study

LEAST_BLOCK = 4


class Command(BaseCommand):
    help = "Generate, import, confirm or verify a sealed randomisation list."
    requires_system_checks = []  # generate runs off-line, without a database

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="step", required=True)
        _generate_arguments(commands.add_parser("generate", help="off-line: write a list and its seal"))
        _import_arguments(commands.add_parser("import", help="the unblinded statistician brings a list in"))
        _confirm_arguments(commands.add_parser("confirm", help="a second person opens an imported list"))
        _verify_arguments(commands.add_parser("verify", help="prove seal, stored list and allocations"))

    def handle(self, *args: Any, **options: Any) -> None:
        with told():
            getattr(self, f"_{options['step']}")(**options)

    def _generate(self, definition: Path, list: Path, seal: Path, **options: Any) -> None:
        plan = _plan(_definition(definition), options)
        seed = options["seed_file"] or secrets.token_bytes(SEED_BYTES)
        content = write_list(plan, seed)
        _write_secretly(list, content)
        _write_secretly(seal, write_seal(Seal(seed, plan.block_sizes, plan.slots)))
        self.stdout.write(_("Commitment (SHA-256 of the list): %(sha256)s") % {"sha256": commitment(content)})

    def _import(self, file: Path, sha256: str, by: str, reason: str, **options: Any) -> None:
        study = _one(Study, oid=options["study"])
        scheme = import_list(
            study=study, content=file.read_bytes(), sha256=sha256, by=_one(User, username=by), reason=reason
        )
        self.stdout.write(_("Imported, not yet in use: a second person confirms %(sha256)s") % {"sha256": sha256})
        self._report(scheme)

    def _confirm(self, sha256: str, by: str, **options: Any) -> None:
        scheme = confirm_list(scheme=_one(Scheme, list_sha256=sha256), sha256=sha256, by=_one(User, username=by))
        self.stdout.write(_("Confirmed and in use: %(sha256)s") % {"sha256": scheme.list_sha256})

    def _verify(self, study: str, list: Path | None, seal: Path | None, **options: Any) -> None:
        if list and seal:
            self._verify_files(list, seal)
        for scheme in Scheme.objects.filter(study__oid=study) if study else []:
            self._report(scheme)

    def _verify_files(self, list: Path, seal: Path) -> None:
        found = read_list(list.read_bytes())
        if not reproduces(found, read_seal(seal.read_bytes())):
            raise CommandError(_("The seal does not give this list again."))
        self.stdout.write(_("The seal gives the list again, byte for byte: %(sha256)s") % {"sha256": found.sha256})

    def _report(self, scheme: Scheme) -> None:
        found = findings(scheme)
        if found:
            raise CommandError("\n".join([scheme.list_sha256, *map(str, found)]))
        self.stdout.write(
            _("%(purpose)s, %(sha256)s: stored as committed, every allocation is the next slot of its stratum.")
            % {"purpose": scheme.get_purpose_display(), "sha256": scheme.list_sha256}
        )


def _generate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("definition", type=Path, help="directory of the study's definition")
    parser.add_argument("--mode", choices=Mode.values, required=True)
    parser.add_argument("--purpose", choices=Purpose.values, default=Purpose.CENTRAL)
    parser.add_argument("--block-sizes", type=int, nargs="+", required=True, help="known to the list holder only")
    parser.add_argument("--slots", type=int, required=True, help="fewest slots of a stratum")
    parser.add_argument("--seed-file", type=_seed, help="64 hex digits; without it the operating system gives the seed")
    parser.add_argument("--list", type=Path, required=True, help="new file for the list")
    parser.add_argument("--seal", type=Path, required=True, help="new file for seed and block sizes")


def _import_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--study", required=True)
    parser.add_argument("--sha256", required=True, help="the commitment as filed")
    parser.add_argument("--by", required=True, help="user name")
    parser.add_argument("--reason", default="", help="needed for a further list")


def _confirm_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sha256", required=True, help="the commitment as the second person has it")
    parser.add_argument("--by", required=True, help="user name")


def _verify_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--study", help="compare the stored lists and allocations of this study")
    parser.add_argument("--list", type=Path, help="with --seal: make this list again")
    parser.add_argument("--seal", type=Path)


@contextmanager
def told() -> Iterator[None]:
    """Every refusal ends as sentences on the terminal."""
    try:
        yield
    except InvalidInput as refusal:
        raise CommandError("\n".join(s for sentences in refusal.errors.values() for s in sentences)) from refusal
    except PallsoftError as refusal:
        raise CommandError(refusal.message) from refusal
    except (BadList, OSError) as error:
        raise CommandError(str(error)) from error


def _definition(directory: Path) -> StudyDef:
    loaded, problems = check(directory)
    if loaded is None:
        raise CommandError("\n".join(map(str, problems)))
    return loaded.study


def _plan(study: StudyDef, options: dict[str, Any]) -> Plan:
    sizes = tuple(sorted(options["block_sizes"]))
    if options["mode"] == Mode.LIVE and (len(sizes) < 2 or sizes[0] < LEAST_BLOCK):
        raise CommandError(_("A live list needs two block sizes or more, none below 4: others are easily guessed."))
    try:
        return Plan(
            study.oid, options["mode"], options["purpose"], arms_of(study), strata_of(study), sizes, options["slots"]
        )
    except ValueError as error:
        raise CommandError(str(error)) from error


def _seed(name: str) -> bytes:
    try:
        seed = bytes.fromhex(Path(name).read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise ArgumentTypeError(str(error)) from error
    if len(seed) != SEED_BYTES:
        raise ArgumentTypeError(f"needs {SEED_BYTES} bytes in hex")
    return seed


def _write_secretly(path: Path, content: bytes) -> None:
    """A new file that only its owner may read; an existing one is never overwritten."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _one(model: Any, **lookup: str) -> Any:
    try:
        return model.objects.get(**lookup)
    except model.DoesNotExist as error:
        raise CommandError(_("There is no %(what)s.") % {"what": " ".join(lookup.values())}) from error
