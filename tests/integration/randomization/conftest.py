"""The two-arm trial and its sealed list instead of PALLSOFT's own."""

from tests.fixtures.randomizing import (  # noqa: F401
    definition,
    fill,
    list_file,
    make_ready,
    open_list,
    ready,
    sealed_list,
)
