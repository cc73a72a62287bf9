"""What the verification plan asks of one saved form: pure functions, reproducible from the definition alone.

The draw of the sample, so that anybody can repeat it: SHA-256 over the UTF-8 text

    drawn_with | study OID | subject number | event OID-ordinal | form OID | repeat key | item OID

joined by "|"; its first 8 bytes as a whole number, modulo 100; the answer is drawn when that is below `share`. It does
not depend on the values, on the order of entry or on the clock: nobody can know before, or change afterwards, what is
drawn without changing the published definition.
"""

import hashlib
from collections.abc import Callable, Iterator

from trials.definition import FormDef, ItemDef, StudyDef, VerificationRule
from trials.evaluate import FormContext
from trials.scope import compiled

Address = tuple[str, str, int, str]  # subject number, event OID, ordinal, repeat key
Instance = Callable[[], FormContext]  # the values of the form instance, settled when first asked for


def is_electronic(study: StudyDef, form: FormDef, instance: Instance) -> bool:
    """Was it typed here first, by the patient? Then there is no other source."""
    rule = form.electronic_if
    return rule is not None and compiled(study, rule, form.oid).evaluate(instance()) is True


def planned_items(study: StudyDef, form: FormDef, address: Address, instance: Instance) -> Iterator[ItemDef]:
    """The items of a saved form that the plan asks for, answered or not; nothing where the form is its own source."""
    if is_electronic(study, form, instance):
        return
    rules = [rule for rule in study.verification.always if _applies(study, form, rule, address, instance)]
    everything = any(rule.form == form.oid for rule in rules)
    named = {rule.item for rule in rules}
    for item in form.items:
        if not item.derived and (everything or item.oid in named or is_drawn(study, form, item, address)):
            yield item


def is_drawn(study: StudyDef, form: FormDef, item: ItemDef, address: Address) -> bool:
    sample = study.verification.sample
    if sample is None:
        return False
    number, event_oid, ordinal, repeat_key = address
    place = (sample.drawn_with, study.oid, number, f"{event_oid}-{ordinal}", form.oid, repeat_key, item.oid)
    drawn = hashlib.sha256("|".join(place).encode()).digest()
    return int.from_bytes(drawn[:8], "big") % 100 < sample.share


def source_type_of(form: FormDef, item: ItemDef) -> str:
    return item.source_type or form.source_type


def _applies(study: StudyDef, form: FormDef, rule: VerificationRule, address: Address, instance: Instance) -> bool:
    if rule.form != form.oid and rule.item not in form.item_oids:
        return False
    if rule.at and address[1] not in rule.at:
        return False
    return rule.when is None or compiled(study, rule.when, form.oid).evaluate(instance()) is not False
