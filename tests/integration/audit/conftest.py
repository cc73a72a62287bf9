"""Rows to write trails of."""

import pytest

from pallsoft.audit.context import change_set
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
