"""Who has signed an older consent than the one in force at the site, and signs anew before the next visit (S21)."""

from collections.abc import Iterable

from sites.models import Consent, Subject, SubjectStatus
from sites.participation import participations
from sites.selectors import definition_at
from trials.definition import StudyDef

TAKING_PART = (SubjectStatus.SCREENING, SubjectStatus.RANDOMIZED)


def version_in_force(study: StudyDef) -> str:
    """The newest version of the consent form that those with an older one have to sign too; the first asks nobody."""
    asked = [version.version for version in study.consent.versions[1:] if version.reconsent]
    return asked[-1] if asked else study.consent.versions[0].version


def is_outdated(signed: str, study: StudyDef) -> bool:
    """Has the version in force come after the signed one? A version that the definition has dropped is older."""
    order = [version.version for version in study.consent.versions]
    return signed not in order or order.index(signed) < order.index(version_in_force(study))


def must_reconsent(subjects: Iterable[Subject]) -> list[tuple[Subject, str]]:
    """Those of `subjects` who still take part, each with the version to sign; `subjects` know their site and study."""
    asked = {subject.pk: subject for subject in subjects if subject.status in TAKING_PART}
    left = {pk for pk, participation in participations(set(asked)).items() if participation.state}
    newest: dict[object, str] = {}
    for consent in Consent.objects.standing().filter(subject__in=asked).order_by("signed_at"):
        newest[consent.subject_id] = consent.version
    found = []
    for pk, subject in asked.items():
        study = definition_at(subject.site)
        if pk in newest and pk not in left and is_outdated(newest[pk], study):
            found.append((subject, version_in_force(study)))
    return found
