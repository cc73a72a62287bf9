"""The file of centres: eleven for PALLSOFT, errors with their line."""

from pathlib import Path

import pytest

import sites.centres
from sites.centres import read_centres

PALLSOFT = Path(sites.centres.__file__).parent / "pallsoft.yaml"


def read(tmp_path, text):
    file = tmp_path / "sites.yaml"
    file.write_text(text, encoding="utf-8")
    return read_centres(file)


def test_the_eleven_centres_of_pallsoft_are_there():
    centres, problems = read_centres(PALLSOFT)
    assert problems == []
    assert " ".join(site.code for site in centres.sites) == "ALE BER BOD DRA GJO KRI OSL SKI STA TRO TRD"


def test_a_code_such_as_no_stays_text(tmp_path):
    centres, _ = read(tmp_path, "study: X\nsites:\n  - {code: NO, city: Bodø, name: Sykehus}\n")
    assert centres.sites[0].code == "NO"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{code: BOD, city: Bodø}", "code, city and name"),
        ("{code: bod, city: Bodø, name: N}", "capital letters"),
        ("{code: OSL, city: Oslo, name: N}", "twice"),
        ("{code: BOD, city: '', name: N}", "text"),
        ("{code: BOD, city: Bodø, name: N, timezone: Europe/Bodø}", "time zone"),
        ("{code: BOD, city: Bodø, name: N, beds: '4'}", "perhaps timezone"),
    ],
)
def test_an_error_is_told_with_its_line(tmp_path, line, message):
    centres, problems = read(tmp_path, f"study: X\nsites:\n  - {{code: OSL, city: Oslo, name: N}}\n  - {line}\n")
    assert centres is None
    assert [problem.line for problem in problems] == [4]
    assert message in problems[0].message


@pytest.mark.parametrize("text", ["", "- a", "study: X\n", "study: [\n", "sites: []\nstudy: X\nmore: y\n"])
def test_a_file_of_another_shape_is_refused(tmp_path, text):
    centres, problems = read(tmp_path, text)
    assert centres is None
    assert problems
