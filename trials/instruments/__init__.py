"""Scores of questionnaires: pure functions over structures that are data (decision D7); no database, no wording.

    score("QLQ-C30 3.0", {"1": 2, "2": 3, "5": 1})     # {"PF": Score(…), "RF": Score(value=None, …), …}
    score_scale("QLQ-C30 3.0", "PF", {"1": 2, …})      # that one alone
    response(7, 4, 2)                                  # "PR"
    pain_response(7, 4, before_mg, now_mg)             # "PR"

* An instrument is named by code and version ("EQ-5D-5L NO-2024"); each version is a file in `data/` with its source.
  What was scored by a version can be scored again for ever: a changed structure is a new file beside the old one.
* Answers are whole numbers by item; an item that is left out or None is not answered. An item that the instrument does
  not score, or a number outside its answers, is refused (ValueError).
* `Score.value` is None when too little was answered. It is computed in fractions and rounded once, half even at 34
  digits; who stores or shows it rounds half up to the decimals it wants (`trials.values`).
* A scale whose direction the public sources do not settle is `unsettled` and has no score: a number that may be upside
  down is worse than none. Its answers are stored; it is scored when EORTC's own sheet has been entered.
* Not here: the conversion of opioids to oral morphine. It is a table of the study (`lookup(x, 'OMED')`), published and
  versioned with it, and its sum is what `pain_response` takes.

Rules of a definition use the same functions: `scale(…)`, `response(…)`, `pain_response(…)` of `trials.expressions`.
"""

from trials.instruments.response import PAIN_RESPONSES, RESPONSES, pain_response, response
from trials.instruments.scoring import Score, score, score_scale
from trials.instruments.structure import Instrument, Scale, instrument_named, instruments

__all__ = [
    "PAIN_RESPONSES", "RESPONSES", "Instrument", "Scale", "Score",
    "instrument_named", "instruments", "pain_response", "response", "score", "score_scale",
]  # fmt: skip
