"""The page of an amendment: what the next version changes, which sites use which, and what comes of it per subject."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crf.selectors.rehearsal import rehearsed
from pallsoft.accounts.request import AuthenticatedRequest
from sites.permissions import Permission
from sites.selectors import sites_with_versions, study_for
from trials.amendment import broken_promises, differences
from trials.checker import check
from trials.definition import StudyDef, definition_of
from trials.models import Study
from trials.selectors import live_version, published_versions

DEFINITIONS = settings.BASE_DIR / "trials" / "definitions"
WORDS = {
    "added": gettext_lazy("New"),
    "changed": gettext_lazy("Changed"),
    "retired": gettext_lazy("Retired"),
    "gone": gettext_lazy("Gone"),
    "visit": gettext_lazy("visit"),
    "form": gettext_lazy("form"),
    "item": gettext_lazy("question"),
    "check": gettext_lazy("check"),
    "code list": gettext_lazy("code list"),
    "criterion": gettext_lazy("criterion"),
    "fact": gettext_lazy("fact"),
    "gate": gettext_lazy("gate"),
    "reminder": gettext_lazy("reminder"),
    "consent": gettext_lazy("consent version"),
}
CHIPS = {"added": "complete", "changed": "in_progress", "retired": "planned", "gone": "overdue"}


@dataclass(frozen=True)
class Candidate:
    """A version that can be rehearsed: published and not in use everywhere, or waiting in the product's files."""

    key: str
    label: str
    definition: StudyDef


@require_safe
def amendment_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """`of`: the key of the candidate; without it, the newest."""
    study = study_for(request.user, study_oid, Permission.MANAGE_STUDY)
    candidates = _candidates(study)
    chosen = next(
        (one for one in candidates if one.key == request.GET.get("of")), candidates[0] if candidates else None
    )
    context: dict[str, Any] = {
        "study": study,
        "candidates": candidates,
        "chosen": chosen,
        "sites": sites_with_versions(study),
    }
    if chosen:
        context |= _rehearsal(study, chosen.definition)
    return render(request, "crf/amendment.html", context)


def _rehearsal(study: Study, new: StudyDef) -> dict[str, Any]:
    before = _before(study, new)
    lines = [
        {"act": WORDS[one.act], "chip": CHIPS[one.act], "what": WORDS[one.what], "one": one}
        for one in differences(before, new)
    ]
    subjects = list(rehearsed(study, new))
    kinds = ("appears", "retires", "recalculates", "queries", "consent")
    counts = Counter(kind for one in subjects for kind in kinds if getattr(one, kind))
    return {
        "before": before,
        "lines": lines,
        "broken": broken_promises(before, new),
        "touched": [one for one in subjects if one.is_touched],
        "total": len(subjects),
        "counts": counts,
    }


def _before(study: Study, new: StudyDef) -> StudyDef:
    """The published version that it follows."""
    older = [version for version in published_versions(study) if version.number < new.version]
    return definition_of(older[0]) if older else definition_of(live_version(study))


def _candidates(study: Study) -> list[Candidate]:
    published = list(published_versions(study))
    newest = max((version.number for version in published), default=0)
    waiting = [
        Candidate(
            f"files:{loaded.study.version}",
            _("version %(n)s, not published") % {"n": loaded.study.version},
            loaded.study,
        )
        for directory in sorted(path for path in DEFINITIONS.iterdir() if path.is_dir())
        if (loaded := check(directory)[0]) and loaded.study.oid == study.oid and loaded.study.version > newest
    ]
    return waiting + [
        Candidate(f"version:{one.number}", _("version %(n)s, published") % {"n": one.number}, definition_of(one))
        for one in published[:-1]
    ]
