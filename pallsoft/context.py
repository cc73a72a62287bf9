"""What the page shell needs on every page: navigation by permission, and the studies of the person."""

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from sites.permissions import Permission, permissions_anywhere, studies_for
from trials.models import Study

# (label, URL name, icon, permission that one needs at one site at least). One of several is enough
PAGES = (
    (_("Subjects"), "subject-list", "people", Permission.VIEW_SUBJECT),
    (_("Queries"), "queries", "question", Permission.VIEW_SUBJECT),
    (_("Survival check"), "survival-check", "check", Permission.ENTER_DATA),
    (_("Deviations"), "deviations", "flag", Permission.VIEW_SUBJECT),
    (_("Serious events"), "safety", "flag", Permission.RAISE_QUERY),
    (_("To sign"), "to-sign", "pen", Permission.SIGN),
    (_("Screening log"), "screening", "clipboard", Permission.VIEW_SUBJECT),
    (_("Verification"), "verification", "check", Permission.VERIFY),
    (_("Recruitment"), "recruitment", "chart", Permission.VIEW_RECRUITMENT),
    (_("Participant flow"), "flow", "chart", Permission.VIEW_RECRUITMENT),
    (_("Follow-up"), "follow-up", "chart", Permission.VIEW_RECRUITMENT),
    (_("Randomisation lists"), "randomization-lists", "shuffle", Permission.HOLD_LIST),
    (_("Locking"), "locking", "lock", Permission.FREEZE),
    (_("Locking"), "locking", "lock", Permission.CONFIRM_UNLOCK),  # nobody holds both
    (_("Export"), "export", "download", Permission.EXPORT),
    (_("Export"), "export", "download", Permission.EXPORT_TRAIL),
    (_("Documents"), "documents", "page", Permission.VIEW_STUDY),
    (_("Access log"), "access-log", "clipboard", Permission.VIEW_ACCESS_LOG),
    (_("Masking"), "maskings", "lock", Permission.MASK),
    (_("Study description"), "study-description", "book", Permission.VIEW_STUDY),
    (_("Amendment"), "amendment", "flag", Permission.MANAGE_STUDY),
    (_("Reminders"), "reminders", "bell", Permission.MANAGE_SITES),
    (_("Sites"), "sites", "building", Permission.VIEW_STUDY),
    (_("Users"), "users", "person", Permission.VIEW_USERS),
)


class Shell:
    """Asks the database only for what the page shows: a fragment without the shell costs no query."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.match = request.resolver_match

    @cached_property
    def all_studies(self) -> list[Study]:
        return list(studies_for(self.request.user))

    @cached_property
    def study(self) -> Study | None:
        """The one in the address; on pages of no study, the first of the person's."""
        oid = self.match.kwargs.get("study_oid") if self.match else None
        return next((study for study in self.all_studies if oid in (None, study.oid)), None)

    @cached_property
    def nav(self) -> list[dict[str, Any]]:
        if not self.request.user.is_authenticated:
            return []
        entries = [self._entry(_("Today"), "worklist", "inbox")]
        if self.study:
            held = permissions_anywhere(self.request.user, self.study)
            open_ = {name: (label, icon) for label, name, icon, permission in PAGES if permission in held}
            entries += [self._entry(label, name, icon, self.study.oid) for name, (label, icon) in open_.items()]
        return entries

    @cached_property
    def studies(self) -> list[dict[str, Any]]:
        return [
            {"label": study.oid, "url": reverse("study", args=[study.oid]), "current": study == self.study}
            for study in self.all_studies
        ]

    def _entry(self, label: Any, name: str, icon: str, *args: str) -> dict[str, Any]:
        """`current`: "page" on the page itself, "true" on the pages below it."""
        url, path = reverse(name, args=args), self.request.path
        below = bool(args) and path.startswith(url)
        return {"label": label, "url": url, "icon": icon, "current": "page" if path == url else "true" if below else ""}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context for templates/base.html: `nav`, `study`, `studies`, `idle_seconds`."""
    page = Shell(request)
    return {
        "nav": SimpleLazyObject(lambda: page.nav),
        "study": SimpleLazyObject(lambda: page.study),
        "studies": SimpleLazyObject(lambda: page.studies),
        "idle_seconds": settings.IDLE_SECONDS,
    }
