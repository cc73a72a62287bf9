"""The invented trial and short ways of saving, shared with the tests of data entry."""

from tests.integration.crf.conftest import definition, row, save, stored, visit

__all__ = ["definition", "row", "save", "stored", "visit"]
