"""The strip above the pages of one subject, as on every other page of it."""

from crf.answers import SubjectAnswers
from crf.selectors.strip import Strip, strip_for
from sites.models import Subject
from sites.permissions import AnyUser
from sites.selectors import definition_at


def strip_of(user: AnyUser, subject: Subject) -> Strip:
    """Who this is, without identity; the arm only for who may see it."""
    return strip_for(SubjectAnswers(subject, definition_at(subject.site)), user)
