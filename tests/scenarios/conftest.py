"""What several stories start from."""

from tests.fixtures.serious import event, known

__all__ = ["event", "known"]
