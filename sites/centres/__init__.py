"""Lists of centres as people review them, one file per study."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import available_timezones

from trials.loader import Node, Problem, Refused, parse

CODE = re.compile(r"[A-Z][A-Z0-9]{1,7}")
NEEDED = {"code", "city", "name"}


@dataclass(frozen=True)
class Centre:
    """One line of the file."""

    code: str
    city: str
    name: str
    timezone: str = "Europe/Oslo"


@dataclass(frozen=True)
class Centres:
    """A whole file: the study's OID and its sites."""

    study: str
    sites: tuple[Centre, ...]


def read_centres(path: Path) -> tuple[Centres | None, list[Problem]]:
    """The file's content, or None and everything that is wrong with it, each with its line."""
    try:
        node = parse(path.read_text(encoding="utf-8"), path.name)
    except (Refused, OSError, UnicodeDecodeError) as error:
        return None, [Problem(path.name, getattr(error, "line", 1), str(error))]
    problems = list(_problems(node))
    if problems:
        return None, problems
    plain = node.plain()
    return Centres(plain["study"], tuple(Centre(**site) for site in plain["sites"])), []


def _problems(node: Node) -> Iterator[Problem]:
    if set(node.mapping()) != {"study", "sites"}:
        yield Problem(node.file, node.line, "holds `study` and `sites`, nothing else")
        return
    codes: set[str] = set()
    for site in node.mapping()["sites"].sequence():
        for message in _faults(site, codes):
            yield Problem(site.file, site.line, message)
        codes.add(str(site.at(("code",)).plain()))


def _faults(site: Node, codes: set[str]) -> Iterator[str]:
    keys = set(site.mapping())
    if not NEEDED <= keys <= NEEDED | {"timezone"}:
        yield "a site has code, city and name, and perhaps timezone"
        return
    values = site.plain()
    if not all(isinstance(value, str) and value.strip() for value in values.values()):
        yield "code, city and name are text"
    elif not CODE.fullmatch(values["code"]):
        yield f"{values['code']}: a code is 2 to 8 capital letters A to Z or digits, a letter first"
    elif values["code"] in codes:
        yield f"{values['code']} stands here twice"
    elif values.get("timezone", "Europe/Oslo") not in available_timezones():
        yield f"{values['timezone']} is no time zone"
