"""What rules know of the world outside their form."""

from trials.evaluate import evaluate
from trials.subject_rules import Nothing
from trials.values import UNKNOWN


class Outside(Nothing):
    def __init__(self, **known):
        self.known = {ref.replace("__", "."): value for ref, value in known.items()}

    def value(self, ref):
        return self.known.get(ref, UNKNOWN)

    def values(self, ref):
        return self.known.get(ref, ())


def form_says(study, form, answers, missing=None, **known):
    return evaluate(study, form, answers, missing, Outside(**known))


def deviations(study, form, answers, **known):
    """The checks of that severity that find something."""
    outcome = form_says(study, form, answers, **known)
    severe = {check.oid for check in study.form(form).checks if check.severity == "deviation"}
    return [oid for oid in outcome.violated if oid in severe]
