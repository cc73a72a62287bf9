"""The hostile tests of forms use the small invented trial of data entry."""

from tests.integration.crf.conftest import definition, row, save, visit  # noqa: F401
