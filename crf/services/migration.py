"""Moving a saved form to the version that its site uses now: a decision of the sponsor, with its reason (DAT-11)."""

from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.entry.document import Document, Rules
from crf.models import FormData
from crf.policies import check_can_void
from crf.services.following import follow_form
from crf.services.recalculation import follow, write
from crf.services.visits import explained, lock_subject
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from sites.permissions import Permission, require
from sites.selectors import version_at
from trials.definition import definition_of


def migrate_form(*, form: FormData, by: User, reason: str) -> FormData:
    """Every stored answer stays, also to what is retired; what the new version computes is computed, what it asks anew
    is not answered yet. Signatures fall, as the form is another one now.

    Raises InvalidInput without a reason, NotAllowedNow for a locked or removed form or one that is there already.
    """
    reason = explained(reason, _("Say why the form is moved to the new version."))
    site = form.subject.site
    role = require(by, Permission.MOVE_FORM, form.study, site)
    with change_set(study=form.study, by=by, action="crf.migrate_form", reason=reason, role=role, site=site):
        subject = lock_subject(form.subject)
        form = FormData.objects.select_related("event", "study").get(pk=form.pk)
        form.subject = form.event.subject = subject
        check_can_void(form)
        version = version_at(subject.site)
        if form.definition_version_id == version.pk:
            raise NotAllowedNow(_("The form already has the version that its site uses."))
        form.definition_version = version
        study = definition_of(version)
        answers = SubjectAnswers(subject, study)
        before = Document(form.data, form.marks)
        settled = Rules(study, study.form(form.form_oid), answers.at(form.event, form.observed_at)).settle(
            before, {}, {}
        )
        write(form, settled)
        form.version += 1
        form.save(update_fields=["definition_version", "data", "marks", "status", "version"])
        touched = {*before.data, *before.marks, *settled.document.data, *settled.document.marks}
        changed = {oid for oid in touched if before.answer(oid) != settled.document.answer(oid)}
        follow_form(form, study, before, settled, changed)
        follow(answers, form, changed, by)
    return form
