"""Finding a study and the version that is in force."""

from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from pallsoft.errors import NotAllowedNow
from trials.models import Study, StudyVersion


def study_by_oid(oid: str) -> Study:
    """Raises Http404."""
    return get_object_or_404(Study, oid=oid)


def live_version(study: Study, site: Any = None) -> StudyVersion:
    """The newest version; for a site (a sites.Site), the one that it has put to use most recently.

    A site works with a version only after its ethics approval, so sites can be a version apart. The documents are
    left in the database until `definition_of` asks for one it has not parsed yet. Raises NotAllowedNow.
    """
    versions = published_versions(study)
    if site is not None:
        versions = versions.filter(pk__in=_in_use(study, site).values_list("version", flat=True)[:1])
    if (version := versions.first()) is None:
        raise NotAllowedNow(_("No version of the trial is in use here yet. Publish or approve one first."))
    return version


def published_versions(study: Study) -> QuerySet[StudyVersion]:
    """Newest first, without their documents."""
    return study.versions.defer("definition", "source_files").order_by("-number")


def _in_use(study: Study, site: Any) -> QuerySet[Any]:
    today = timezone.now().astimezone(ZoneInfo(study.timezone)).date()
    in_use: QuerySet[Any] = site.versions.filter(active_from__lte=today)
    return in_use.order_by("-active_from", "-version__number")
