"""Finding a study and the version that is in force."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from pallsoft.errors import NotAllowedNow
from trials.models import Study, StudyVersion

NO_VERSION = _("No version of the trial is in use here yet. Publish or approve one first.")


def study_by_oid(oid: str) -> Study:
    """Raises Http404."""
    return get_object_or_404(Study, oid=oid)


def live_version(study: Study) -> StudyVersion:
    """The newest version; which one a site has put to use says `sites.selectors.version_at`.

    The documents are left in the database until `definition_of` asks for one it has not parsed yet. Raises
    NotAllowedNow.
    """
    if (version := published_versions(study).first()) is None:
        raise NotAllowedNow(str(NO_VERSION))
    return version


def published_versions(study: Study) -> QuerySet[StudyVersion]:
    """Newest first, without their documents."""
    return study.versions.defer("definition", "source_files").order_by("-number")
