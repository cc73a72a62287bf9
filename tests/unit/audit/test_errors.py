"""Each refusal of the database becomes one of the catalogue, in one place."""

from types import SimpleNamespace

import pytest

from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, Unattributed, refusal_of


def error_with(code, detail=None):
    error = RuntimeError("as the database says")
    error.__cause__ = RuntimeError()
    error.__cause__.pgcode, error.__cause__.diag = code, SimpleNamespace(message_detail=detail)
    return error


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        ("PS001", Unattributed, 500),
        ("PS002", InvalidInput, 422),
        ("PS003", NotAllowedNow, 409),
        ("PS004", NotAllowedNow, 409),
        ("PS005", NotAllowedNow, 409),
        ("PS006", NotAllowedNow, 409),
        ("PS007", InvalidInput, 422),
        ("PS008", NotAllowedNow, 409),
        ("PS009", Conflict, 409),
        ("PS010", NotAllowedNow, 409),
        ("PS011", NotAllowedNow, 409),
    ],
)
def test_every_code_has_its_refusal(code, kind, status):
    refusal = refusal_of(error_with(code, "NRS_PAIN"))
    assert type(refusal) is kind
    assert refusal.status == status


@pytest.mark.req("AUD-04", "DAT-07")
def test_the_field_to_mend_is_named():
    assert list(refusal_of(error_with("PS002")).errors) == ["reason"]
    assert list(refusal_of(error_with("PS007", "NRS_PAIN")).errors) == ["NRS_PAIN"]


@pytest.mark.parametrize("error", [error_with("23505"), RuntimeError("no database")])
def test_other_errors_stay_what_they_are(error):
    assert refusal_of(error) is None
