"""The small catalogue of refusals. Each carries a translated sentence that says what to do."""

from django.utils.translation import gettext as _


class PallsoftError(Exception):
    """A refusal that a person reads.

    `message`: one translated sentence; `status`: the HTTP status that middleware answers with.
    """

    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotPermitted(PallsoftError):
    """This person, in this role, at this site, may not do this."""

    status = 403


class NotAllowedNow(PallsoftError):
    """The record is in a state that does not allow this."""

    status = 409


class Conflict(PallsoftError):
    """Somebody else changed the same record meanwhile; nothing was overwritten."""

    status = 409


class InvalidInput(PallsoftError):
    """What was typed cannot be stored.

    `errors`: {field name: [sentences]}; "" holds what belongs to no single field.
    """

    status = 422

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(" ".join(text for texts in errors.values() for text in texts))
        self.errors = errors


class Unattributed(PallsoftError):
    """Nobody stood for a change, so the database refused it: a fault of the program, never of the reader."""

    status = 500


def refusal_of(error: BaseException) -> PallsoftError | None:
    """The refusal behind a database error that our own triggers raised (audit/sql), or None for any other error."""
    cause = error.__cause__ or error
    code = getattr(cause, "pgcode", None)
    item = getattr(getattr(cause, "diag", None), "message_detail", None) or ""
    match code:
        case "PS001":
            return Unattributed(_("Nothing was stored: the change had no author. Please report this."))
        case "PS002":
            return InvalidInput({"reason": [_("A stored value changes: give the reason.")]})
        case "PS003" | "PS004" | "PS005":
            return NotAllowedNow(_("Nothing was stored: this record is never changed or deleted."))
        case "PS006":
            return NotAllowedNow(_("Nothing was stored: the form or visit is locked. Ask the data manager to open it."))
        case "PS007":
            return InvalidInput({item: [_("The value cannot be stored here. Check it against the form.")]})
        case "PS008":
            return NotAllowedNow(_("Unlocking a site or the study takes two persons: one asks, another confirms."))
        case "PS009":
            return Conflict(_("Nothing was stored: the value has changed since you looked. Open the page again."))
        case "PS010":
            return NotAllowedNow(_("Nothing was signed: only you yourself can sign, and only what stands there now."))
        case "PS011":
            return NotAllowedNow(_("Only who asked for it can take that back."))
    return None
