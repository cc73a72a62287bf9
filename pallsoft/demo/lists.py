"""Invented randomisation lists in the demonstration's own blocks: a live study refuses a list made for a test."""

import hashlib

from pallsoft.accounts.models import User
from randomization.generator import Plan
from randomization.list_file import commitment, write_list
from randomization.models import Purpose
from randomization.services import confirm_list, import_list
from randomization.strata import arms_of, strata_of
from trials.definition import definition_of
from trials.models import Study
from trials.selectors import live_version

BLOCKS = (2, 4)  # never a real trial's


def seal_lists(study: Study, *, slots: int, seed: int, holder: User, second: User) -> None:
    """A central list and a fallback list, imported by the list holder and confirmed by a second person."""
    definition = definition_of(live_version(study))
    for purpose in Purpose.values:
        plan = Plan(study.oid, study.mode, purpose, arms_of(definition), strata_of(definition), BLOCKS, slots)
        content = write_list(plan, hashlib.sha256(f"demonstration {seed} {purpose}".encode()).digest())
        _bring_in(study, content, holder, second)


def _bring_in(study: Study, content: bytes, holder: User, second: User) -> None:
    sha256 = commitment(content)
    scheme = import_list(study=study, content=content, sha256=sha256, by=holder)
    confirm_list(scheme=scheme, sha256=sha256, by=second)
