"""What a form brings with it when it is stored, whoever stores it and by which way."""

from collections.abc import Set

from crf.entry.document import Document, Settled
from crf.models import FormData
from crf.safety.messages import follow_safety
from crf.services.alerts import alert
from crf.services.checks import follow_checks
from crf.services.deviations import propose_deviations
from trials.definition import StudyDef


def follow_form(row: FormData, study: StudyDef, before: Document, settled: Settled, changed: Set[str]) -> None:
    """Within the present change set: deviations, the queries of checks, and the mails that somebody is owed at once.

    `before`: the document as it was; `changed`: the OIDs of its items whose answers changed.
    """
    propose_deviations(row, study, settled.fired)
    follow_checks(row, study, before, settled, changed)
    follow_safety(row, study)
    alert(row, study, settled.fired)
