"""The follow-up page: how complete the questionnaires are, by site, visit and instrument, and what is owed.

Totals only, nothing by arm. Each number leads to the questionnaires behind it; a subject number stands there for who
may see subjects at the site.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from crf.exports.archive import rows_csv
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.followup.lines import DUE, GONE, MISSING, OVERDUE, RECEIVED, TO_COME, Line, lines_of, questionnaires
from pallsoft.followup.words import days_late, next_action, reasons, state_words
from sites.models import Site
from sites.permissions import Permission, at_sites, sites_for
from sites.selectors import study_for
from trials.definition import definition_of
from trials.selectors import live_version

FILTERS = ("site", "visit", "form", "state", "why")
EXPECTED = "expected"
OWED_SHOWN, ON_A_PAGE = 20, 100
HEAT = ((95, "heat-4"), (85, "heat-3"), (70, "heat-2"), (0, "heat-1"))  # percent from which on; ours


@dataclass(frozen=True)
class Cell:
    """Of the questionnaires of a site, an instrument or all, at a visit or all: how many came of those expected."""

    received: int
    expected: int
    address: str

    @property
    def percent(self) -> int | None:
        """None as long as none was expected; rounded down, so that 100 is all of them."""
        return self.received * 100 // self.expected if self.expected else None

    @property
    def heat(self) -> str:
        percent = self.percent
        return "" if percent is None else next(name for least, name in HEAT if percent >= least)


class Page:
    """What is asked for, found once. Http404 for what there is not."""

    def __init__(self, request: AuthenticatedRequest, study_oid: str) -> None:
        self.study = study_for(request.user, study_oid, Permission.VIEW_RECRUITMENT)
        self.user = request.user
        self.asked_for = {name: request.GET[name] for name in FILTERS if request.GET.get(name) is not None}
        self.sites = list(sites_for(request.user, self.study, Permission.VIEW_RECRUITMENT).order_by("city"))
        self.chosen = self.asked_for.get("site", "")
        self.in_view = [site for site in self.sites if self.chosen in ("", site.code)]
        if self.chosen and not self.in_view:
            raise Http404
        self.today = timezone.localdate()
        self.definition = definition_of(live_version(self.study))

    @cached_property
    def questionnaires(self) -> list[Any]:
        arms = at_sites(self.user, self.study, Permission.VIEW_ARM, field="site")
        with_arm = arms == {} or {site.pk for site in self.in_view} <= arms["site__in"]
        return questionnaires(self.definition, with_arm=with_arm)

    @cached_property
    def lines(self) -> list[Line]:
        return lines_of(self.definition, self.questionnaires, self.in_view, self.today)

    @cached_property
    def visits(self) -> dict[str, str]:
        return {one.event.oid: str(one.event.label) for one in self.questionnaires}

    @cached_property
    def forms(self) -> dict[str, str]:
        return {one.form.oid: str(one.form.title) for one in self.questionnaires}

    @cached_property
    def codes(self) -> dict[Any, str]:
        return {site.pk: site.code for site in self.in_view}

    def address(self, **changes: str) -> str:
        """Where the questionnaires behind a number stand."""
        asked = ({"site": self.chosen} if self.chosen else {}) | changes
        return f"{reverse('follow-up-rows', args=[self.study.oid])}?{urlencode(asked)}"

    @property
    def query(self) -> str:
        return f"?{urlencode({'site': self.chosen})}" if self.chosen else ""

    @cached_property
    def counts(self) -> Counter[tuple[Any, str, str, str]]:
        return Counter((line.site_id, line.event, line.form, line.state) for line in self.lines)

    def cell(self, site: Site | None = None, visit: str = "", form: str = "") -> Cell:
        counted: Counter[str] = Counter()
        for (site_id, event, one, state), n in self.counts.items():
            if (site is None or site.pk == site_id) and visit in ("", event) and form in ("", one):
                counted[state] += n
        asked = {"site": site.code if site else "", "visit": visit, "form": form, "state": EXPECTED}
        expected = counted[RECEIVED] + counted[MISSING] + counted[OVERDUE]
        return Cell(counted[RECEIVED], expected, self.address(**{k: v for k, v in asked.items() if v}))

    @property
    def by_site(self) -> list[tuple[str, list[Cell]]]:
        """The heat table: (site, [cell of each visit, and of all]); the last line is all sites."""
        rows: list[tuple[str, Site | None]] = [(site.city, site) for site in self.in_view]
        rows += [(_("All sites"), None)] if len(rows) > 1 else []
        return [(name, [self.cell(site, visit) for visit in (*self.visits, "")]) for name, site in rows]

    @property
    def by_form(self) -> list[tuple[str, list[Cell]]]:
        return [
            (title, [self.cell(None, visit, form) for visit in (*self.visits, "")])
            for form, title in self.forms.items()
        ]

    @cached_property
    def reason_words(self) -> dict[str, str]:
        return reasons(self.definition, self.questionnaires)

    @property
    def reasons(self) -> list[tuple[str, int, str]]:
        """Why questionnaires that were expected did not come: (words, number, address), the most frequent first."""
        found = Counter(line.why for line in self.lines if line.state in (MISSING, OVERDUE))
        return [(self.why(code), n, self.address(state="not_received", why=code)) for code, n in found.most_common()]

    def why(self, code: str) -> str:
        """A code that the definition no longer has stands for itself."""
        return self.reason_words.get(code, code.partition(":")[2])

    @property
    def states(self) -> list[tuple[str, int, str]]:
        found, words = Counter(line.state for line in self.lines), state_words()
        return [(words[state], found[state], self.address(state=state))
                for state in (RECEIVED, MISSING, OVERDUE, DUE, TO_COME, GONE)]  # fmt: skip

    @property
    def owed(self) -> list[Line]:
        """Overdue and nobody has said why, the oldest first."""
        found = [line for line in self.lines if line.state == OVERDUE]
        return sorted(found, key=lambda line: (line.until or self.today, line.number, line.form))

    @property
    def alarms(self) -> list[tuple[str, str]]:
        """What puts the primary endpoint at risk, each with the address of its questionnaires."""
        plan = self.definition.flow
        form = self.definition.form_of(plan.answer).oid if plan else ""
        if plan is None or plan.event not in self.visits:
            return []
        at = {"visit": plan.event, "form": form}
        visit, cell = self.visits[plan.event], self.cell(None, plan.event, form)
        waiting = Counter(line.state for line in self.lines if (line.event, line.form) == (plan.event, form))
        found = []
        if waiting[OVERDUE]:
            words = ngettext(
                "%(n)s primary answer (%(visit)s) is overdue, and nobody has said why.",
                "%(n)s primary answers (%(visit)s) are overdue, and nobody has said why.",
                waiting[OVERDUE],
            )
            found.append((words % {"n": waiting[OVERDUE], "visit": visit}, self.address(**at, state=OVERDUE)))
        if waiting[DUE]:
            words = ngettext(
                "%(n)s primary answer (%(visit)s) is due now: see that it comes before its window closes.",
                "%(n)s primary answers (%(visit)s) are due now: see that they come before their windows close.",
                waiting[DUE],
            )
            found.append((words % {"n": waiting[DUE], "visit": visit}, self.address(**at, state=DUE)))
        if plan.warn_below and cell.percent is not None and cell.percent < plan.warn_below:
            words = _("Only %(percent)s %% of the primary answers (%(visit)s) came, less than %(least)s %%.")
            told = {"percent": cell.percent, "visit": visit, "least": plan.warn_below}
            found.append((words % told, self.address(**at, state="not_received")))
        return found


class Rows:
    """The questionnaires behind a number, in words."""

    def __init__(self, page: Page) -> None:
        self.page, asked = page, page.asked_for
        known = {"visit": page.visits, "form": page.forms, "state": {*state_words(), EXPECTED, "not_received"}}
        if any(asked[name] not in known[name] for name in known if name in asked):
            raise Http404
        self.found = [line for line in page.lines if self._fits(line, asked)]
        numbered = at_sites(page.user, page.study, Permission.VIEW_SUBJECT, field="site")
        self.numbered_at = None if numbered == {} else numbered["site__in"]

    def _fits(self, line: Line, asked: dict[str, str]) -> bool:
        states = {EXPECTED: {RECEIVED, MISSING, OVERDUE}, "not_received": {MISSING, OVERDUE}}
        state = asked.get("state", EXPECTED)
        return (
            line.state in states.get(state, {state})
            and asked.get("visit", line.event) == line.event
            and asked.get("form", line.form) == line.form
            and asked.get("why", line.why) == line.why
        )

    @property
    def title(self) -> str:
        asked, page = self.page.asked_for, self.page
        words = {**state_words(), EXPECTED: _("Expected questionnaires"), "not_received": _("Did not come")}
        parts = [words[asked.get("state", EXPECTED)], page.visits.get(asked.get("visit", "")),
                 page.forms.get(asked.get("form", "")), page.why(asked["why"]) if "why" in asked else None]  # fmt: skip
        return " · ".join(part for part in parts if part)

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        return self.told(self.found)

    def told(self, lines: Iterable[Line]) -> list[dict[str, Any]]:
        page, states = self.page, state_words()
        cities = {site.pk: site.city for site in page.in_view}
        several = {one.event.oid for one in page.questionnaires if one.event.kind == "repeating"}
        return [
            {
                "number": line.number if self._named(line) else "",
                "url": self._url(line) if self._named(line) else "",
                "site": cities[line.site_id],
                "visit": page.visits[line.event] + (f" {line.ordinal}" if line.event in several else ""),
                "form": page.forms[line.form],
                "state": states[line.state],
                "why": page.why(line.why) if line.state == MISSING else "",
                "until": line.until,
                "days_late": days_late(line, page.today),
                "next": next_action(line),
            }
            for line in lines
        ]

    def _named(self, line: Line) -> bool:
        return self.numbered_at is None or line.site_id in self.numbered_at

    def _url(self, line: Line) -> str:
        return reverse("visit", args=[self.page.study.oid, line.number, line.event, line.ordinal])


@require_safe
def follow_up_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    page = Page(request, study_oid)
    owed = page.owed
    shown = Rows(page).told(owed[:OWED_SHOWN])
    context = {"page": page, "owed": shown, "owed_in_all": len(owed), "all_owed": page.address(state=OVERDUE)}
    return render(request, "pallsoft/follow_up.html", context)


@require_safe
def follow_up_rows(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    page = Page(request, study_oid)
    rows = Rows(page)
    shown = Paginator(rows.lines, ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "pallsoft/follow_up_rows.html", {"page": shown, "rows": rows, "follow_up": page})


@require_safe
def follow_up_csv(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """Both tables of the page: a line for each site or instrument and visit."""
    page = Page(request, study_oid)
    tables = (("SITE", page.by_site), ("INSTRUMENT", page.by_form))
    lines = [
        [table, name, visit, cell.received, cell.expected, cell.percent]
        for table, rows in tables
        for name, cells in rows
        for visit, cell in zip((*page.visits.values(), _("All visits")), cells, strict=True)
    ]
    header = ["TABLE", "NAME", "VISIT", "RECEIVED", "EXPECTED", "PERCENT"]
    return _csv(page, "follow-up", header, lines)


@require_safe
def follow_up_rows_csv(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    page = Page(request, study_oid)
    columns = ["number", "site", "visit", "form", "state", "why", "until", "days_late", "next"]
    lines = [[line[column] for column in columns] for line in Rows(page).lines]
    return _csv(page, "follow-up-rows", [column.upper() for column in columns], lines)


def _csv(page: Page, name: str, header: list[str], lines: list[list[Any]]) -> HttpResponse:
    disposition = f'attachment; filename="{page.study.oid}-{name}.csv"'
    content = rows_csv(name, header, lines).content
    return HttpResponse(content, "text/csv", headers={"Content-Disposition": disposition})
