"""The flow of participants: the figure on a page and as PDF, its table, and the persons behind each number.

Totals are for everybody who sees the recruitment, of the sites in view. By arm it is for those alone who judge the
trial by arm; they see no subject number, so that nobody here sees number and arm together.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crf.exports.archive import rows_csv
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.flow.boxes import (
    ALLOCATION,
    ANALYSIS,
    ENROLMENT,
    FOLLOW_UP,
    Box,
    Flow,
    code_words,
    excluded_words,
    flow_of,
    follow_words,
    in_arm,
    missing_words,
)
from pallsoft.flow.figure import Column, Entry, Figure, figure_of
from pallsoft.flow.persons import CONSIDERED, EXCLUDED, MISSING, NOT_RECEIVED, RANDOMIZED, RECEIVED, Question, persons
from pallsoft.pdf import can_make_pdf, pdf_of
from sites.permissions import Permission, at_sites, has_permission, sites_for
from sites.selectors import study_for
from trials.definition import definition_of
from trials.selectors import live_version

ON_A_PAGE = 100


class Page:
    """What is asked for, found once for the page, the PDF and the tables as CSV. Http404 for what there is not."""

    def __init__(self, request: AuthenticatedRequest, study_oid: str) -> None:
        self.study = study_for(request.user, study_oid, Permission.VIEW_RECRUITMENT)
        self.user, self.asked = request.user, request.GET
        self.sites = list(sites_for(request.user, self.study, Permission.VIEW_RECRUITMENT).order_by("city"))
        self.chosen = self.asked.get("site", "")
        self.in_view = tuple(site for site in self.sites if self.chosen in ("", site.code))
        if self.chosen and not self.in_view:
            raise Http404
        self.definition = definition_of(live_version(self.study))
        self.now = timezone.now()

    @cached_property
    def question(self) -> Question:
        plan = self.definition.flow
        if plan is None:
            raise Http404
        arms = at_sites(self.user, self.study, Permission.VIEW_ARM, field="site")
        return Question(
            definition=self.definition,
            plan=plan,
            sites=self.in_view,
            today=timezone.localdate(self.now),
            with_arm=arms == {} or {site.pk for site in self.in_view} <= arms["site__in"],
            by_arm=has_permission(self.user, Permission.VIEW_BY_ARM, self.study),
        )

    @cached_property
    def flow(self) -> Flow:
        return flow_of(self.question)

    @property
    def heads(self) -> list[str]:
        """Of the columns of numbers."""
        return [_("All"), *(str(self.definition.arm(code).label) for code in self.flow.arms)]

    @property
    def lines(self) -> list[tuple[Box, str, list[tuple[int, str]]]]:
        """(box, heading of its section when it begins one, [(number, address of its rows)])."""
        titles, found = self.titles, []
        for box in self.flow.boxes:
            arms = ["", *self.flow.arms]
            numbers = [(n, self.address(box, arm)) for n, arm in zip(box.counts, arms, strict=False)]
            found.append((box, titles.pop(box.section, ""), numbers))
        return found

    @property
    def titles(self) -> dict[str, str]:
        """{section: heading}."""
        at = self.definition.event(self.question.plan.event).label
        return {
            ENROLMENT: _("Enrolment"),
            ALLOCATION: _("Allocation"),
            FOLLOW_UP: _("Follow-up: %(visit)s") % {"visit": at},
            ANALYSIS: _("Analysis: %(visit)s") % {"visit": at},
        }

    def address(self, box: Box, arm: str = "") -> str:
        """Where the persons behind a number stand; "" when this person may not know who they are."""
        if not box.listed:
            return ""
        asked = {"box": box.key, "arm": arm, "site": self.chosen}
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{reverse('flow-rows', args=[self.study.oid])}?{query}"

    @property
    def query(self) -> str:
        """The filter as an address carries it on."""
        return f"?{urlencode({'site': self.chosen})}" if self.chosen else ""

    @property
    def figure(self) -> Figure:
        flow = self.flow
        enrolment = flow.section(ENROLMENT)
        by_key = {box.key: self._entry(box) for box in enrolment}
        left = [self._entry(box) for box in enrolment if box.key.startswith(EXCLUDED) or box.key == CONSIDERED]
        places = list(enumerate(flow.arms, start=1)) or [(0, "")]
        columns = [self._column(place, arm) for place, arm in places]
        return figure_of(by_key["assessed"], left, by_key[RANDOMIZED], columns)

    def _column(self, place: int, arm: str) -> Column:
        titles = self.titles
        name = f"{titles[ALLOCATION]}: {self.definition.arm(arm).label}" if arm else titles[ALLOCATION]
        blocks = [
            (title, [self._entry(box, place, arm) for box in self.flow.section(section)])
            for section, title in ((ALLOCATION, name), (FOLLOW_UP, titles[FOLLOW_UP]), (ANALYSIS, titles[ANALYSIS]))
        ]
        return Column([(title, entries) for title, entries in blocks if entries])

    def _entry(self, box: Box, place: int = 0, arm: str = "") -> Entry:
        return Entry(box.label, box.counts[place], self.address(box, arm), box.depth)


class Rows:
    """The persons behind one number. Http404 for a box or an arm that is not shown to this person."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.arm = page.asked.get("arm", "")
        try:
            self.box = page.flow.box(page.asked.get("box", "assessed"))
        except KeyError:
            raise Http404 from None
        if not self.box.listed:
            raise Http404
        if self.arm and (self.arm not in page.flow.arms or self.box.section == ENROLMENT):
            raise Http404
        self.found = persons(page.question, in_arm(self.box.where, self.arm))
        numbered = at_sites(page.user, page.study, Permission.VIEW_SUBJECT, field="site")
        self.numbered_at = None if numbered == {} else numbered["site__in"]

    @property
    def title(self) -> str:
        return f"{self.box.label}: {self.page.definition.arm(self.arm).label}" if self.arm else self.box.label

    @cached_property
    def lines(self) -> list[dict[str, str]]:
        """Each person in words: who, where, and how each part went."""
        cities = {site.pk: site.city for site in self.page.in_view}
        lines = []
        for person in self.found:
            named = self.numbered_at is None or person.site_id in self.numbered_at
            number = person.number if person.subject_id else _("Screening log no. %(n)s") % {"n": person.number}
            address = reverse("subject", args=[self.page.study.oid, person.number]) if person.subject_id else ""
            lines.append({
                "number": number if named else "",
                "url": address if named else "",
                "site": cities[person.site_id],
                **self._words.of(person.standing),
            })  # fmt: skip
        return lines

    @cached_property
    def _words(self) -> "Words":
        return Words(self.page.question)


class Words:
    """What a standing is called."""

    def __init__(self, question: Question) -> None:
        self.stages = {
            EXCLUDED: _("Not randomised"),
            CONSIDERED: _("Being considered or in screening"),
            RANDOMIZED: _("Randomised"),
        }
        plan = question.plan
        told = {RECEIVED: plan.received, NOT_RECEIVED: plan.not_received}
        self.treatments = {state: str(step.label) for state, step in told.items() if step and question.tells(step)}
        why = plan.not_received.why if plan.not_received else None
        self.excluded, self.follow, self.missing = excluded_words(question), follow_words(), missing_words(question)
        self.not_received = code_words(question, why) if why else {}
        self.steps = {step.oid: str(step.label) for step in plan.steps}
        self.sets = {one.oid: str(one.label) for one in plan.sets if question.lists(one)}

    def of(self, standing: Any) -> dict[str, str]:
        treatment = [self.treatments.get(standing.treatment, ""), self.not_received.get(standing.treatment_why, "")]
        treatment += [self.steps[oid] for oid in standing.steps]
        why_missing = self.missing.get(standing.follow_why, "") if standing.follow == MISSING else ""
        return {
            "enrolment": _joined([self.stages[standing.stage], self.excluded.get(standing.why, standing.why)]),
            "treatment": _joined(treatment),
            "follow_up": _joined([self.follow.get(standing.follow, ""), why_missing, *self._taken_out(standing)]),
        }

    def _taken_out(self, standing: Any) -> list[str]:
        """The analysis sets that a confirmed deviation takes the person out of."""
        if standing.stage != RANDOMIZED:
            return []
        named = [name for oid, name in self.sets.items() if oid not in standing.within]
        return [_("Out by a deviation: %(set)s") % {"set": name} for name in named]


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(part for part in parts if part)


@require_safe
def flow_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    page = Page(request, study_oid)
    context = {"page": page, "has_flow": page.definition.flow is not None, "can_pdf": can_make_pdf()}
    return render(request, "pallsoft/flow.html", context)


@require_safe
def flow_rows(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    page = Page(request, study_oid)
    rows = Rows(page)
    shown = Paginator(rows.lines, ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "pallsoft/flow_rows.html", {"page": shown, "rows": rows, "flow": page})


@require_safe
def flow_pdf(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    page = Page(request, study_oid)
    if not page.flow or not can_make_pdf():
        raise Http404
    html = render_to_string("pallsoft/flow_paper.html", {"page": page, "language": get_language()})
    pdf = pdf_of(html, render_to_string("pallsoft/flow_paper.css"))
    return _file(page, "flow.pdf", "application/pdf", pdf)


@require_safe
def flow_csv(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    page = Page(request, study_oid)
    header = ["SECTION", "BOX", "LABEL", "ALL", *page.flow.arms]
    lines = ([box.section, box.key, box.label, *box.counts] for box in page.flow.boxes)
    return _file(page, "flow.csv", "text/csv", rows_csv("flow", header, lines).content)


@require_safe
def flow_rows_csv(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    page = Page(request, study_oid)
    columns = ["number", "site", "enrolment", "treatment", "follow_up"]
    lines = ([line[column] for column in columns] for line in Rows(page).lines)
    return _file(page, "flow-rows.csv", "text/csv", rows_csv("rows", [c.upper() for c in columns], lines).content)


def _file(page: Page, name: str, kind: str, content: bytes) -> HttpResponse:
    disposition = f'attachment; filename="{page.study.oid}-{name}"'
    return HttpResponse(content, kind, headers={"Content-Disposition": disposition})
