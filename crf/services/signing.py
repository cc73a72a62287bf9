"""Signing: one core for a form, a visit, a casebook, many forms at once, and the confirmation of eligibility.

A signature is given by the person who acts, who has just proved who they are; by right of the role and of a delegation
that holds today; for exactly what the page showed; and it is bound to it (21 CFR 11.50-11.200, SIG-01 to SIG-10).
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from crf.models import FormData, Meaning, Signature, StudyEvent
from crf.policies import check_can_sign
from crf.selectors.manifest import signature_sha256
from crf.selectors.signing import Signable, signable_casebook, signable_form, signable_visit
from crf.services.visits import lock_subject
from pallsoft.accounts.models import Profession, User
from pallsoft.accounts.signing import Proof
from pallsoft.audit.anchors import anchor
from pallsoft.audit.context import change_set
from pallsoft.audit.selectors import chain_head
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, NotPermitted
from sites.clock import database_now
from sites.models import Delegation, Site, Subject, Task
from sites.permissions import Permission, require, require_task

Find = Callable[[Subject], Signable]


class SeenOtherwise(Conflict):
    """What stands there now is not what the page showed. `signables`: what it is about, as it stands now."""

    def __init__(self, signables: list[Signable]) -> None:
        super().__init__(_("Nothing was signed: something has changed since the page was shown. Read it again."))
        self.signables = signables


def sign_form(*, form: FormData, meaning: Meaning, seen: str, by: User, proof: Proof) -> Signature:
    """Sign one form. `seen`: Signable.seen as it stood on the page.

    Raises SeenOtherwise, NotPermitted with whom to ring, NotAllowedNow.
    """
    return _anchored(_sign(form.subject, partial(_form, form_id=form.pk), meaning, seen, by, proof))


def sign_visit(*, event: StudyEvent, meaning: Meaning, seen: str, by: User, proof: Proof) -> Signature:
    """Sign a visit with all its forms. Raises as `sign_form`."""

    def find(subject: Subject) -> Signable:
        found = subject.events.get(pk=event.pk)
        found.subject = subject
        return signable_visit(found)

    return _anchored(_sign(event.subject, find, meaning, seen, by, proof))


def sign_casebook(*, subject: Subject, meaning: Meaning, seen: str, by: User, proof: Proof) -> Signature:
    """Sign all that is stored of a subject. Raises as `sign_form`."""
    return _anchored(_sign(subject, signable_casebook, meaning, seen, by, proof))


def sign_many(
    *, forms: Iterable[FormData], meaning: Meaning, seen: Mapping[UUID, str], by: User, proof: Proof
) -> list[Signature]:
    """Sign several forms of one site's subjects, each with a signature of its own: all of them or none.

    `seen`: {form id: Signable.seen as it stood on the page}. Raises as `sign_form`; SeenOtherwise names every form
    that has changed.
    """
    in_order = sorted(forms, key=lambda form: (str(form.subject_id), str(form.pk)))
    if not in_order:
        raise InvalidInput({"": [_("Choose what you want to sign.")]})
    given, changed = [], []
    with transaction.atomic():
        for form in in_order:
            try:
                find = partial(_form, form_id=form.pk)
                given.append(_sign(form.subject, find, meaning, seen.get(form.pk, ""), by, proof))
            except SeenOtherwise as refusal:
                changed += refusal.signables
        if changed:
            raise SeenOtherwise(changed)
        _anchored(given[0])
    return given


def check_signer(by: User, task: Task, site: Site) -> Delegation | None:
    """The delegation by which the person signs at the site today; None for the principal investigator."""
    return require_task(by, task, site)


def write_signature(signable: Signable, *, meaning: Meaning, by: User, delegation: Delegation | None) -> Signature:
    """The row itself, within the present change set, bound to what it is for (SIG-03)."""
    head, salt = chain_head(signable.subject.study_id), uuid4()
    signature = Signature(
        study_id=signable.subject.study_id,
        subject=signable.subject,
        event=signable.event,
        form_data=signable.form,
        meaning=meaning,
        signed_by=by,
        signed_at=database_now(),
        printed_name=by.full_name,
        delegation=delegation,
        manifest=signable.manifest(salt),
        salt=salt,
        timezone=signable.subject.site.timezone,
        seal_n=head.n,
    )
    signature.sha256 = signature_sha256(signature, head)
    signature.save(force_insert=True)
    return signature


def _sign(subject: Subject, find: Find, meaning: Meaning, seen: str, by: User, proof: Proof) -> Signature:
    if proof.user != by:
        raise NotPermitted(_("Nobody signs in another person's name."))
    site = subject.site
    delegation = check_signer(by, Task.SIGN, site)
    if meaning == Meaning.ASSESSED and by.profession != Profession.PHYSICIAN:
        raise NotPermitted(
            _("Only a physician can confirm an assessment. Ask a physician to whom signing is delegated.")
        )
    role = require(by, Permission.SIGN, subject.study, site)
    with change_set(study=subject.study, by=by, action="crf.sign", role=role, site=site):
        signable = find(lock_subject(subject))
        if signable.seen != seen:
            raise SeenOtherwise([signable])
        check_can_sign(signable.subject.site, signable.rows)
        if meaning == Meaning.ASSESSED and not signable.is_assessment:
            raise NotAllowedNow(_("This form holds no assessment that waits for a physician."))
        standing = signable.of(meaning).filter(signed_by=by).first()
        if standing:  # a double click signs once
            return standing
        return write_signature(signable, meaning=meaning, by=by, delegation=delegation)


def _anchored(signature: Signature) -> Signature:
    """Noted outside the database once the transaction has committed, once for all that was signed in it."""
    anchor(signature.study, "signature")
    return signature


def _form(subject: Subject, form_id: UUID) -> Signable:
    form = FormData.objects.select_related("event").get(pk=form_id, subject=subject)
    form.subject = form.event.subject = subject
    return signable_form(form)
