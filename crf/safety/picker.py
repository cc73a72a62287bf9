"""The terms of CTCAE to choose from, and what a grade of the chosen one means (NCI's table, where it is loaded)."""

from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from trials.ctcae.words import norwegian_words
from trials.definition import CTCAE_VERSION, StudyDef
from trials.models import CtcaeTable, CtcaeTerm

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

    @property
    def grades(self) -> list[tuple[int, str]]:
        """(grade, NCI's sentence) of the typed term; [] for words of one's own."""
        found = CtcaeTerm.objects.filter(table__version=self.version, term__iexact=self.term.strip()).first()
        return [(grade, text) for grade, text in enumerate(found.grades, 1) if text] if found else []


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
