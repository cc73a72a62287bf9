"""What rules know of the world outside their form."""

from trials.subject_rules import Nothing
from trials.values import UNKNOWN


class Outside(Nothing):
    def __init__(self, **known):
        self.known = {ref.replace("__", "."): value for ref, value in known.items()}

    def value(self, ref):
        return self.known.get(ref, UNKNOWN)

    def values(self, ref):
        return self.known.get(ref, ())
