"""Which signed version is older than the one in force, version by version (S21)."""

from dataclasses import dataclass
from datetime import date

import pytest

from sites.reconsent import is_outdated, version_in_force
from trials.definition import Consent, ConsentOption, ConsentVersion, Text


@dataclass(frozen=True)
class Trial:
    consent: Consent


def trial(*reconsent):
    """Versions 1.0, 2.0 … of the consent form; whether those with an older one sign each anew."""
    versions = tuple(
        ConsentVersion(version=f"{n}.0", approved_on=date(2026, n, 1), reconsent=asked)
        for n, asked in enumerate(reconsent, start=1)
    )
    option = ConsentOption(oid="MAIN", label=Text(nb="Deltakelse", en="Taking part"), required=True, source="default")
    return Trial(Consent(versions=versions, options=(option,)))


@pytest.mark.req("PRV-03")
@pytest.mark.parametrize(
    ("reconsent", "in_force", "outdated"),
    [
        ([True], "1.0", []),
        ([True, True], "2.0", ["1.0"]),
        ([True, False], "1.0", []),
        ([True, True, False], "2.0", ["1.0"]),
        ([True, True, True], "3.0", ["1.0", "2.0"]),
    ],
)
def test_who_signed_before_the_version_in_force_signs_anew(reconsent, in_force, outdated):
    study = trial(*reconsent)
    assert version_in_force(study) == in_force
    assert [one.version for one in study.consent.versions if is_outdated(one.version, study)] == outdated


def test_a_version_that_the_definition_dropped_is_older():
    assert is_outdated("0.9", trial(True))
