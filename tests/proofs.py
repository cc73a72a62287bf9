"""Which requirement is proved by which test: hooks of tests/conftest.py, for `manage.py requirements`."""

import json
from pathlib import Path

PROOFS = Path(__file__).resolve().parent.parent / ".demo" / "requirements.json"
_seen = {}  # {requirement id: {test: "passed" | "failed"}}, in the process that collects the reports


def note_requirements(items):
    """Give each test the requirements it names, so that its report carries them out of a worker too."""
    for item in items:
        named = [oid for mark in item.iter_markers("req") for oid in mark.args]
        item.user_properties.extend(("requirement", oid) for oid in named)


def pytest_runtest_logreport(report):
    if report.when != "call" and report.passed:
        return
    for name, value in report.user_properties:
        if name == "requirement":
            _seen.setdefault(value, {})[report.nodeid] = report.outcome


def pytest_sessionfinish(session):
    """The controller adds this run to what earlier phases found."""
    if hasattr(session.config, "workerinput") or not _seen:
        return
    known = json.loads(PROOFS.read_text(encoding="utf-8")) if PROOFS.exists() else {}
    merged = {oid: known.get(oid, {}) | _seen.get(oid, {}) for oid in {*known, *_seen}}
    PROOFS.parent.mkdir(exist_ok=True)
    PROOFS.write_text(json.dumps(merged, indent=1, sort_keys=True), encoding="utf-8")
