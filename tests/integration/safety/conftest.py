"""Serious events of PALLSOFT's own form."""

from tests.fixtures.serious import event, known

__all__ = ["event", "known"]
