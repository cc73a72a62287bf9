"""Row locks leave foreign keys alone: FOR UPDATE deadlocks against the deferred checks that run after the seal."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
APPS = ["pallsoft", "trials", "sites", "crf", "randomization"]


def calls_of(source, name):
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
    ]


def is_weak(call):
    return any(k.arg == "no_key" and isinstance(k.value, ast.Constant) and k.value.value is True for k in call.keywords)


def test_every_row_lock_is_for_no_key_update():
    strong = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        for call in calls_of(path.read_text(encoding="utf-8"), "select_for_update")
        if not is_weak(call)
    ]
    assert strong == []


def test_the_scan_sees_a_strong_lock():
    assert not is_weak(calls_of("Study.objects.select_for_update()", "select_for_update")[0])
    assert is_weak(calls_of("Study.objects.select_for_update(no_key=True)", "select_for_update")[0])
