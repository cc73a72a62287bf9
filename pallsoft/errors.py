"""The small catalogue of refusals. Each carries a translated sentence that says what to do."""


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
