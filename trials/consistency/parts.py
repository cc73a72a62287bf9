"""What a single part must fulfil beyond its structure."""

from collections.abc import Iterator
from zoneinfo import available_timezones

from trials.consistency.fault import Fault
from trials.definition import DAYS_SETTINGS, ItemDef, StudyDef
from trials.reading import parts


def study_makes_sense(study: StudyDef) -> Iterator[Fault]:
    if study.timezone not in available_timezones():
        yield Fault(("timezone",), f"{study.timezone} is not a time zone such as Europe/Oslo")
    if not any(option.required for option in study.consent.options):
        yield Fault(("consent", "options"), "no option is required: taking part itself has to be")
    if study.not_done and not study.has_code_list(study.not_done):
        yield Fault(("not_done",), f"{study.not_done} is not a code list of this study")
    for index, setting in enumerate(study.settings):
        if setting.key in DAYS_SETTINGS and not _is_a_number_of_days(setting.value):
            yield Fault(("settings", index, "value"), f"{setting.key} is not a whole number of days")
    versions = [version.version for version in study.consent.versions]
    for index, version in enumerate(versions):
        if versions.index(version) != index:
            yield Fault(("consent", "versions", index, "version"), f"consent version {version} is there twice")


def items_make_sense(study: StudyDef) -> Iterator[Fault]:
    for path, item in parts(study):
        if not isinstance(item, ItemDef):
            continue
        if item.min is not None and item.max is not None and item.min > item.max:
            yield Fault((*path, "min"), f"min {item.min} is more than max {item.max}")
        for key in ("min", "max"):
            limit = getattr(item, key)
            if limit is not None and -limit.as_tuple().exponent > (item.decimals or 0):
                yield Fault((*path, key), f"{limit} has more decimals than the item")


def _is_a_number_of_days(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 3
