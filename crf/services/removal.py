"""Taking a form away that was saved in the wrong place. Nothing is deleted: the row stays, marked (DAT-14)."""

from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.models import FormData
from crf.policies import check_can_void
from crf.safety.messages import tell_removed
from crf.selectors.definitions import definition_for
from crf.services.queries import cancel_queries_of
from crf.services.recalculation import follow
from crf.services.visits import explained, lock_subject
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from sites.permissions import Permission, require


def void_form(*, form: FormData, by: User, reason: str) -> FormData:
    """Take away a form saved on the wrong subject or visit, or a repeat that is none.

    Its values can be copied to where they belong. Raises InvalidInput without a reason, NotAllowedNow when it is gone
    already or locked.
    """
    reason = explained(reason, _("Say why the form is removed."))
    site = form.subject.site
    role = require(by, Permission.ENTER_DATA, form.study, site)
    with change_set(study=form.study, by=by, action="crf.void_form", reason=reason, role=role, site=site) as removal:
        subject = lock_subject(form.subject)
        form = FormData.objects.select_related("event", "study").get(pk=form.pk)
        form.subject = form.event.subject = subject
        check_can_void(form)
        form.removed_in = removal
        form.version += 1
        form.save(update_fields=["removed_in", "version"])
        cancel_queries_of(form)
        study = definition_for(form)
        tell_removed(form, study)
        follow(SubjectAnswers(subject, study), form, {*form.data, *form.missing_codes}, by)
    return form
