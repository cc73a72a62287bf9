"""Which definition a form is read by: the version it was begun under (DAT-11), for a new one that of its site today."""

from functools import lru_cache
from uuid import UUID

from crf.models import FormData
from trials.definition import StudyDef, definition_of
from trials.models import StudyVersion


def definition_for(form: FormData) -> StudyDef:
    """The definition that a saved form keeps."""
    return _definition(form.definition_version_id)


@lru_cache(maxsize=64)
def _definition(version_id: UUID) -> StudyDef:
    return definition_of(StudyVersion.objects.get(pk=version_id))
