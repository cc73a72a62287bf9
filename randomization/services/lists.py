"""Bringing a sealed list in: one person imports, another confirms; nothing is ever changed afterwards (RND-05)."""

from django.db import connection
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from randomization.list_file import BadList, RandomizationList, read_list
from randomization.models import Purpose, Scheme, Stratum
from randomization.strata import arms_of, strata_of
from sites.acting import acting
from sites.permissions import Permission, has_permission
from trials.definition import definition_of
from trials.models import Study
from trials.selectors import live_version


def import_list(*, study: Study, content: bytes, sha256: str, by: User, reason: str = "") -> Scheme:
    """Store a list file, unconfirmed. `sha256`: the commitment as filed. A further list for the same purpose goes on
    where the earlier ends and needs a reason.

    Raises InvalidInput with every fault of the list; nothing is written then.
    """
    with acting(Permission.HOLD_LIST, study=study, by=by, action="randomization.import_list", reason=reason):
        held = Study.objects.select_for_update(no_key=True).get(pk=study.pk)  # it does not go live meanwhile
        found = _checked(held, content, sha256, reason)
        scheme = Scheme.objects.create(
            study=study,
            purpose=found.purpose,
            generator=found.generator,
            list_sha256=found.sha256,
            imported_by=by,
        )
        Stratum.objects.bulk_create(Stratum(study=study, scheme=scheme, code=code) for code in found.strata)
        with connection.cursor() as cursor:
            cursor.execute("SELECT randomization_import(%s, %s)", [scheme.pk, content.decode()])
    return scheme


def confirm_list(*, scheme: Scheme, sha256: str, by: User) -> Scheme:
    """Open an imported list for use. `sha256`: the commitment as the second person has it, from the trial master file.

    Raises NotPermitted for the person who imported, InvalidInput for another commitment, NotAllowedNow when confirmed.
    """
    permission = Permission.HOLD_LIST
    if not has_permission(by, permission, scheme.study):
        permission = Permission.MANAGE_STUDY
    with acting(permission, study=scheme.study, by=by, action="randomization.confirm_list"):
        scheme = Scheme.objects.select_for_update(no_key=True, of=["self"]).get(pk=scheme.pk)
        _check_confirmation(scheme, sha256, by)
        scheme.confirmed_by, scheme.confirmed_at = by, Now()
        scheme.save(update_fields=["confirmed_by", "confirmed_at"])
        scheme.refresh_from_db()
    return scheme


def _check_confirmation(scheme: Scheme, sha256: str, by: User) -> None:
    if scheme.confirmed_at:
        raise NotAllowedNow(_("This list is already confirmed."))
    if scheme.imported_by_id == by.pk:
        raise NotPermitted(_("Whoever imported the list cannot confirm it. Ask a second person."))
    if scheme.list_sha256 != sha256:
        raise InvalidInput({"sha256": [_("The commitment does not fit the imported list.")]})


def _checked(study: Study, content: bytes, sha256: str, reason: str) -> RandomizationList:
    try:
        found = read_list(content)
    except BadList as error:
        raise InvalidInput({"list": [_("The file is no unaltered list: %(why)s.") % {"why": error}]}) from error
    problems = [sentence for wrong, sentence in _checks(study, found, sha256, reason) if wrong]
    if problems:
        raise InvalidInput({"list": problems})
    return found


def _checks(study: Study, found: RandomizationList, sha256: str, reason: str) -> list[tuple[bool, str]]:
    definition = definition_of(live_version(study))
    earlier = Scheme.objects.filter(study=study, purpose=found.purpose)
    return [
        (found.sha256 != sha256, _("The commitment is not that of the file.")),
        (found.study != study.oid, _("The list is for another study: %(study)s.") % {"study": found.study}),
        (found.mode != study.mode, _("A test list is for a test study, a live list for a live one.")),
        (found.purpose not in Purpose.values, _("The purpose must be central or fallback.")),
        (found.arms != arms_of(definition), _("The arms or their ratio are not those of the definition.")),
        (set(found.strata) != set(strata_of(definition)), _("The strata are not those of the definition.")),
        (Scheme.objects.filter(list_sha256=found.sha256).exists(), _("This list is already imported.")),
        (not reason.strip() and earlier.exists(), _("A further list for the same purpose needs a reason.")),
    ]
