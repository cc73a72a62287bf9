"""`manage.py requirements` calls a requirement proved only when every test that names it passed."""

import json

import pytest
from django.core.management import call_command

from pallsoft.management.commands import requirements


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ({}, "open"),
        ({"a": "passed"}, "proved"),
        ({"a": "passed", "b": "failed"}, "FAILED"),
        ({"a": "skipped"}, "FAILED"),
    ],
)
def test_one_test_that_did_not_pass_spoils_the_proof(tests, said):
    assert requirements.verdict(tests) == said


def test_the_command_prints_a_line_for_every_requirement(monkeypatch, tmp_path, capsys):
    results = tmp_path / "results.json"
    results.write_text(json.dumps({"AUD-01": {"test_x": "passed"}}), encoding="utf-8")
    monkeypatch.setattr(requirements, "RESULTS", results)
    call_command("requirements")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(requirements.stated()) + 1
    assert next(line for line in lines if line.startswith("AUD-01")).split()[1] == "proved"
    assert lines[-1].startswith("1 of ")
