"""What every page that takes a signature has: the signer, the password, and why nothing was signed."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from crf.selectors.signatures import delegation_words
from crf.selectors.signed_content import Difference, differences
from crf.services.signing import SeenOtherwise
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.accounts.signing import Proof, needs_code, prove
from pallsoft.errors import InvalidInput, NotAllowedNow, PallsoftError
from sites.models import Delegation

LABELS = {"password": _("Password"), "code": _("Code")}


@dataclass(frozen=True)
class Problem:
    """Why nothing was signed, at which field, and what had changed."""

    errors: tuple[dict[str, Any], ...] = ()
    at: dict[str, list[str]] | None = None
    differences: tuple[Difference, ...] = ()
    status: int = 200


def problem_of(request: AuthenticatedRequest, refusal: PallsoftError) -> Problem:
    """What the page says; a refusal that has a page of its own is raised again."""
    if isinstance(refusal, InvalidInput):
        errors = tuple(
            {"target": f"id_{name}" if name in LABELS else "", "label": LABELS.get(name, ""), "text": text}
            for name, texts in refusal.errors.items()
            for text in texts
        )
        return Problem(errors, refusal.errors, (), refusal.status)
    found: tuple[Difference, ...] = ()
    if isinstance(refusal, SeenOtherwise):
        seal_n = _whole(request.POST.get("seal", ""))
        found = tuple(line for signable in refusal.signables for line in differences(signable, seal_n))
    elif not isinstance(refusal, NotAllowedNow):
        raise refusal
    return Problem(({"text": refusal.message},), None, found, refusal.status)


def proof_by(request: AuthenticatedRequest) -> Proof:
    """From the very POST that signs; see `prove`."""
    return prove(user=request.user, password=request.POST.get("password", ""), code=request.POST.get("code", ""))


def signature_box(request: AuthenticatedRequest, delegation: Delegation | None, problem: Problem) -> dict[str, Any]:
    """For crf/_signature_box.html. Nothing that was typed comes back."""
    return {
        "signer": request.user,
        "delegation": delegation_words(delegation),
        "asks_code": needs_code(request.user),
        "errors": list(problem.errors),
        "at": problem.at or {},
        "differences": problem.differences,
    }


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
