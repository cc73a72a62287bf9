"""Short ways to sign in tests."""

from crf.models import FormData, Meaning
from crf.selectors.signing import signable_casebook, signable_form, signable_visit
from crf.services import signing
from pallsoft.accounts.signing import prove
from tests.fixtures import PASSWORD

SCORES = {"SCORE_PAIN": "6", "SCORE_VAGINAL": "0"}


def fresh(form):
    """The row as it is now, with its subject."""
    found = FormData.objects.select_related("event", "subject__site__study", "subject__study").get(pk=form.pk)
    found.event.subject = found.subject
    return found


def sign_form(form, by, meaning=Meaning.REVIEWED, seen=None, proof=None):
    form = fresh(form)
    proof = proof or prove(user=by, password=PASSWORD)
    seen = signable_form(form).seen if seen is None else seen
    return signing.sign_form(form=form, meaning=meaning, seen=seen, by=by, proof=proof)


def sign_visit(event, by):
    return signing.sign_visit(
        event=event, meaning=Meaning.REVIEWED, seen=signable_visit(event).seen, by=by,
        proof=prove(user=by, password=PASSWORD),
    )  # fmt: skip


def sign_casebook(subject, by):
    return signing.sign_casebook(
        subject=subject, meaning=Meaning.REVIEWED, seen=signable_casebook(subject).seen, by=by,
        proof=prove(user=by, password=PASSWORD),
    )  # fmt: skip
