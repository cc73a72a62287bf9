"""Rows to write trails of."""

import pytest

from pallsoft.audit.context import change_set
from sites.models import Consent, ConsentOption
from tests.integration.audit.small_trial import make_form, make_trial


@pytest.fixture
def trial(db):
    return make_trial()


@pytest.fixture
def form(trial):
    return make_form(trial, {"NRS_PAIN": "7", "WEIGHT": "71.5"})


@pytest.fixture
def writing(trial):
    """`with writing("reason"):` a change set of the trial's user."""
    return lambda reason="": change_set(study=trial.study, by=trial.user, action="test.change", reason=reason)


@pytest.fixture
def consent(trial, writing):
    with writing():
        consent = Consent.objects.create(
            study=trial.study, subject=trial.subject, version="1.0", signed_at="2026-09-01T08:15:00Z", language="nb",
            informed_by=trial.user, copy_given=True,
        )  # fmt: skip
        ConsentOption.objects.create(
            study=trial.study, subject=trial.subject, consent=consent, option="MAIN", granted=1
        )
    return consent
