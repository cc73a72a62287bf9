"""Serious events of PALLSOFT's own form."""

from tests.fixtures.leaving import erase
from tests.fixtures.serious import event, known

__all__ = ["erase", "event", "known"]
