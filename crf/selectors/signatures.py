"""The signatures of a form, visit or casebook with those that became void: who, when, what for, why no longer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crf.models import FormData, Signature, StudyEvent
from crf.selectors.matrix import visit_url
from crf.selectors.signing import event_title, form_title
from pallsoft.audit.models import ChangeSet
from pallsoft.templatetags.ui import moment, short_date
from sites.models import Delegation, Site, Subject, Task
from sites.permissions import AnyUser, Permission, may_perform, sites_for
from trials.models import Study

ABSENCE_DAYS = 30  # how long the principal investigator sees what others signed on delegation


@dataclass(frozen=True)
class Given:
    """`voided`: the change that ended it, None while it stands."""

    signature: Signature
    voided: ChangeSet | None

    @property
    def stands(self) -> bool:
        return self.signature.voided_in is None

    @property
    def scope(self) -> str:
        if self.signature.form_data_id:
            return _("This form")
        return _("The whole visit") if self.signature.event_id else _("The whole casebook")

    @property
    def what(self) -> str:
        """Which form, visit or casebook, by the definition of the form."""
        form, event = self.signature.form_data, self.signature.event
        if form and event:
            return f"{event_title(event, [form])} · {form_title(form)}"
        return event_title(event, list(event.forms.all())) if event else _("The whole casebook")

    @property
    def at(self) -> str:
        """Date, clock and zone, in the zone that it was signed in (11.50)."""
        return signed_moment(self.signature)

    @property
    def delegation(self) -> str:
        return delegation_words(self.signature.delegation)


@dataclass(frozen=True)
class Panel:
    """What stands about signing on a page. `url`: where to sign, "" for who may not."""

    given: list[Given]
    url: str

    @property
    def is_signed(self) -> bool:
        return any(one.stands for one in self.given)


# `signed`: is there a signature of the subject at all?


def of_form(row: FormData | None, user: AnyUser, url: str, *, signed: bool = True) -> Panel:
    """Its own signatures, and those of visit and casebook that it was part of."""
    if row is None:
        return Panel([], "")
    named = Q(form_data=None, manifest__contains=[{"form_data": str(row.pk)}])
    given = _given(row.subject.signatures.filter(Q(form_data=row) | named)) if signed else []
    return Panel(given, _if_allowed(user, row.subject.site, url))


def of_visit(event: StudyEvent, user: AnyUser) -> Panel:
    if event._state.adding:
        return Panel([], "")
    found = event.subject.signatures.filter(Q(event=event) | Q(event=None), form_data=None)
    return Panel(_given(found), _if_allowed(user, event.subject.site, f"{visit_url(event)}sign/"))


def of_casebook(subject: Subject, user: AnyUser, *, signed: bool = True) -> Panel:
    given = _given(subject.signatures.filter(form_data=None, event=None)) if signed else []
    url = reverse("casebook-sign", args=[subject.study.oid, subject.number])
    return Panel(given, _if_allowed(user, subject.site, url))


def signed_on_delegation(user: AnyUser, study: Study) -> list[Signature]:
    """What deputies signed lately at the sites where the person may delegate: read after an absence (S19)."""
    since = timezone.now() - timedelta(days=ABSENCE_DAYS)
    return list(
        Signature.objects.filter(
            study=study,
            subject__site__in=sites_for(user, study, Permission.DELEGATE),
            delegation__isnull=False,
            signed_at__gte=since,
        )
        .exclude(signed_by=user.pk)
        .select_related("subject__site", "event", "form_data", "delegation__delegated_by")
        .prefetch_related("event__forms")
        .order_by("-signed_at")
    )


def signed_moment(signature: Signature) -> str:
    zone = ZoneInfo(signature.timezone)
    with timezone.override(zone):
        return f"{moment(signature.signed_at)} {signature.signed_at.astimezone(zone):%Z} ({signature.timezone})"


def delegation_words(delegation: Delegation | None) -> str:
    """ "on delegation from Ragnhild Øvergård, 01.07.2026–21.07.2026"; "" for the principal investigator."""
    if delegation is None:
        return ""
    end = short_date(delegation.valid_until) if delegation.valid_until else "…"
    return _("on delegation from %(name)s, %(first)s–%(last)s") % {
        "name": delegation.delegated_by.full_name,
        "first": short_date(delegation.valid_from),
        "last": end,
    }


def _given(signatures: "QuerySet[Signature]") -> list[Given]:
    found = list(signatures.select_related("delegation__delegated_by").order_by("-signed_at"))
    changes = _change_sets(one.voided_in for one in found if one.voided_in)
    return [Given(one, changes.get(one.voided_in) if one.voided_in else None) for one in found]


def _change_sets(ids: Iterable[UUID]) -> dict[UUID, ChangeSet]:
    wanted = list(ids)
    return ChangeSet.objects.in_bulk(wanted) if wanted else {}


def _if_allowed(user: AnyUser, site: Site, url: str) -> str:
    return url if user.is_authenticated and may_perform(user, Task.SIGN, site) else ""
