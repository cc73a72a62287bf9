"""From practice to the real trial: once, and never back."""

from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.errors import NotAllowedNow
from randomization.going_live import obstacles
from sites.acting import acting
from sites.permissions import Permission
from sites.services.holding import needed
from trials.models import Mode, Study


def make_live(*, study: Study, by: User | None, reason: str) -> Study:
    """From now on everything is real: lists of the live mode are taken, reminders leave, no page says TEST.

    Raises InvalidInput without a reason; NotAllowedNow for a live study, and for one that holds practice data: a
    practice study is never made real (GAMP 5: a validated, empty environment).
    """
    reason = needed(reason, _("Say why the trial goes live now."))
    with acting(Permission.MANAGE_STUDY, study=study, by=by, action="randomization.make_live", reason=reason):
        # Who imports a list holds the study, who enrols or logs screening holds a site: we wait for them and see it.
        study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        list(study.sites.select_for_update(no_key=True).order_by("pk"))
        if study.mode == Mode.LIVE:
            raise NotAllowedNow(_("The trial is live already."))
        if found := obstacles(study):
            words = _("Practice data stand in the way: %(found)s. Install an empty system for the real trial.")
            raise NotAllowedNow(words % {"found": ", ".join(found)})
        study.mode = Mode.LIVE
        study.save(update_fields=["mode"])
    return study
