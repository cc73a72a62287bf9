"""Samples whose consent is withdrawn: a person confirms that they are destroyed."""

from datetime import date

from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.days import first_day
from sites.models import SampleTask
from sites.permissions import Permission, require
from sites.services.holding import check_day, lock_subject, needed


def confirm_destroyed(*, task: SampleTask, done_on: date, confirmation: str, by: User) -> SampleTask:
    """Also after an erasure and at a closed site: samples outlive the data. Raises InvalidInput, NotAllowedNow."""
    confirmation = needed(confirmation, _("Write who confirmed it, such as the biobank's reference."), "confirmation")
    subject = task.subject
    role = require(by, Permission.RECORD_CONSENT, subject.study, subject.site)
    with change_set(study=subject.study, by=by, action="sites.confirm_destroyed", role=role, site=subject.site):
        subject = lock_subject(subject)
        task = SampleTask.objects.select_related("stop").get(pk=task.pk)
        if task.done_on or task.dropped_in:
            raise NotAllowedNow(_("This task is settled already."))
        check_day(subject, done_on.isoformat(), "done_on")
        if done_on < first_day(task.stop.day):
            raise InvalidInput({"done_on": [_("The day is before the samples were withdrawn.")]})
        task.done_on, task.confirmation = done_on, confirmation
        task.save(update_fields=["done_on", "confirmation"])
    return task
