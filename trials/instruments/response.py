"""Whether a treatment helped: change of a symptom on the numeric rating scale, and of pain together with opioids.

The change itself is `now - before`: -10 to 10, below 0 is relief.
"""

from decimal import Decimal
from fractions import Fraction

RESPONSES = frozenset(("CR", "PR", "SD", "PD"))
PAIN_RESPONSES = frozenset(("CR", "PR", "PP", "IR"))

_SCALE = range(11)
_PAIN_POINTS = 2


def response(before: int | Decimal, now: int | Decimal, points: int | Decimal) -> str:
    """CR complete (nothing left), PR partial (a fall of `points` or more), PD progression (a rise of as many), else SD.

    A category, best first: CR, PR, SD, PD. Scores 0 to 10, high is worse; what was 0 before cannot be relieved.
    Source: ours until the sponsor decides; 2 points are a moderate improvement (PMC9299931), 1 the least that matters
    to patients (Hui 2015, 10.1002/cncr.29437). Refuses scores outside 0 to 10 and fewer than 1 point (ValueError).
    """
    _check_scores(before, now)
    if points < 1:
        raise ValueError(f"{points} points are no response")
    if now == 0 < before:
        return "CR"
    if before - now >= points:
        return "PR"
    return "PD" if now - before >= points else "SD"


def pain_response(before: int | Decimal, now: int | Decimal, before_mg: Decimal, now_mg: Decimal) -> str:
    """The International Consensus Endpoint: CR complete, PR partial, PP pain progression, IR indeterminate.

    A category, best first: CR, PR, IR, PP. Worst pain 0 to 10 and daily opioid as oral morphine in mg, high is worse.
    Source: Chow 2012, Int J Radiat Oncol Biol Phys 82:1730-1737, limits as they are generally quoted (to be checked
    against the paper before an analysis):

    * CR: pain 0 without more opioid. PR: pain 2 or more lower without more opioid, or opioid 25 % or more lower without
      more pain. PP: pain 2 or more higher with stable opioid, or opioid 25 % or more higher with the pain unchanged or
      1 higher. IR: all else.
    * Ours where it is silent: pain that was 0 cannot be a complete response; stable opioid is one that did not fall by
      25 %, so that more pain on more opioid is progression; from 0 mg every dose is 25 % more.

    Refuses scores outside 0 to 10 and doses below 0 (ValueError).
    """
    _check_scores(before, now)
    if before_mg < 0 or now_mg < 0:
        raise ValueError("a dose below 0 mg")
    more_opioid = now_mg > before_mg
    quarter_more = more_opioid and Fraction(now_mg) >= Fraction(5, 4) * Fraction(before_mg)
    quarter_less = now_mg < before_mg and Fraction(now_mg) <= Fraction(3, 4) * Fraction(before_mg)
    if now == 0 < before and not more_opioid:
        return "CR"
    if (before - now >= _PAIN_POINTS and not more_opioid) or (quarter_less and now <= before):
        return "PR"
    if (now - before >= _PAIN_POINTS and not quarter_less) or (quarter_more and now >= before):
        return "PP"
    return "IR"


def _check_scores(*scores: int | Decimal) -> None:
    for one in scores:
        if one not in _SCALE:
            raise ValueError(f"{one} is not a score from 0 to 10")
