"""The terms of CTCAE to choose from, and what a grade of the chosen one means (NCI's table, where it is loaded)."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from trials.ctcae.words import norwegian_words
from trials.definition import CTCAE_VERSION, StudyDef
from trials.models import CtcaeTable, CtcaeTerm

# Ours, for any event: how much it weighs on daily life and care. NCI's own sentences stand in its table.
HINTS = (
    gettext_lazy("Slight or no complaints. Nothing has to be done about it."),
    gettext_lazy("Needs some treatment outside hospital, or hinders some daily tasks."),
    gettext_lazy(
        "Grave but not at once life-threatening: admission or a longer stay, or the patient needs help with care."
    ),
    gettext_lazy("Life-threatening: urgent treatment."),
    gettext_lazy("The patient died of it."),
)
OPTION = '<option value="{}">{}</option>'


@dataclass(frozen=True)
class Picker:
    """Of one form of adverse events. `grade`: the item beside which the sentences stand; `term`: what is typed."""

    version: str
    grade: str
    term: str

    @property
    def options(self) -> SafeString:
        """All terms of the version; none while its table is not loaded."""
        table = CtcaeTable.objects.filter(version=self.version).first()
        return _options(self.version, table.sha256) if table else SafeString("")

    @cached_property
    def chosen(self) -> CtcaeTerm | None:
        """NCI's term, when that is what is typed; None for words of one's own."""
        return CtcaeTerm.objects.filter(table__version=self.version, term__iexact=self.term.strip()).first()

    @property
    def grades(self) -> list[tuple[int, str]]:
        """(grade, NCI's sentence) of the chosen term; of words of one's own, what a grade means of any event."""
        texts = self.chosen.grades if self.chosen else [str(hint) for hint in HINTS]
        return [(grade, text) for grade, text in enumerate(texts, 1) if text]


def picker_for(study: StudyDef, form_oid: str, typed: dict[str, str]) -> Picker | None:
    """`typed`: {item OID: text} of the page as it stands. None for a form that offers no terms."""
    plan = study.safety
    if plan is None or plan.term is None or plan.form != form_oid:
        return None
    return Picker(study.setting(CTCAE_VERSION), plan.grade, typed.get(plan.term, ""))


@lru_cache(maxsize=4)
def _options(version: str, sha256: str) -> SafeString:
    """A table is never changed: its terms are drawn once. `sha256`: of which table."""
    words = norwegian_words()
    terms = CtcaeTerm.objects.filter(table__version=version, table__sha256=sha256).order_by("term")
    return format_html_join("", OPTION, ((one.term, words.get(one.term, "")) for one in terms))
