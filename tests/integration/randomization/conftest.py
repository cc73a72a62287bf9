"""The two-arm trial and its sealed list instead of PALLSOFT's own; sentences in English."""

import pytest
from django.utils import translation

from tests.fixtures.randomizing import (  # noqa: F401
    definition,
    fill,
    list_file,
    make_ready,
    open_list,
    ready,
    sealed_list,
)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield
