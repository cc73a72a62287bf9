"""NCI's table of CTCAE: read from a file, once for each version, all or nothing."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.utils import translation

from tests.fixtures.ctcae import FIVE, SIX, table
from trials.ctcae.file import COLUMNS, Refused, read_file
from trials.models import CtcaeTable, CtcaeTerm

pytestmark = pytest.mark.django_db

HIC = {"soc": "Invented disorders", "term": "Hiccups, invented", "grade1": "Now and then", "grade3": "All day"}
ITCH = {"soc": "Invented disorders", "term": "Itch, invented", "grade1": "A little\nof it", "grade2": "More"}


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def load(tmp_path):
    def load(content):
        file, out = tmp_path / "table.csv", io.StringIO()
        file.write_bytes(content)
        call_command("load_ctcae", str(file), stdout=out)
        return out.getvalue()

    return load


def test_a_table_is_loaded_with_its_version_and_the_hash_of_its_file(load):
    content = table(HIC, ITCH)
    said = load(content)
    loaded = CtcaeTable.objects.get()
    assert loaded.version == "5.0" and loaded.sha256 == read_file(content).sha256
    assert "CTCAE 5.0: 2 terms loaded" in said and loaded.sha256 in said
    hiccups, itch = CtcaeTerm.objects.order_by("code")
    assert (hiccups.table_id, hiccups.code, hiccups.soc, hiccups.term) == ("5.0", "10000001", HIC["soc"], HIC["term"])
    assert hiccups.grades == ["Now and then", "", "All day", "", ""]
    assert itch.grades[:2] == ["A little\nof it", "More"]


def test_a_dash_of_version_6_means_that_there_is_no_such_grade(load):
    load(table(HIC, code=SIX, none="-", more=["change_from_v5"]))
    term = CtcaeTerm.objects.get(table="6.0")
    assert (term.grades[1], term.definition, term.note) == ("", "", "")


def test_both_versions_lie_side_by_side(load):
    load(table(HIC))
    load(table(HIC, code=SIX, none="-"))
    assert sorted(CtcaeTerm.objects.values_list("table", "term")) == [("5.0", HIC["term"]), ("6.0", HIC["term"])]


def test_the_same_file_twice_changes_nothing(load):
    load(table(HIC))
    before = CtcaeTable.objects.get().loaded_at
    assert "is loaded already, with the same content" in load(table(HIC))
    assert CtcaeTable.objects.get().loaded_at == before and CtcaeTerm.objects.count() == 1


def test_other_content_of_a_loaded_version_is_refused(load):
    load(table(HIC))
    known = CtcaeTable.objects.get().sha256
    with pytest.raises(CommandError, match=rf"CTCAE 5\.0 is loaded with other content \(SHA-256 {known}\)"):
        load(table(HIC, ITCH))
    assert CtcaeTerm.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Line 1: the file is empty."),
        (b"\xef\xbb\xbf\n", "Line 1: the file is empty."),
        (table(), "Line 1: the file holds no terms."),
        (table(HIC).replace(b"All day", b"All d\xe5y"), "Line 2: the file is not UTF-8."),
        (table(HIC).replace(b"All day", b"All\0day"), "Line 2: the file is not text."),
        (table(HIC, code="code"), f"Line 1: the first column has to be {FIVE}"),
        (table(HIC).replace(b",", b";"), f"Line 1: the first column has to be {FIVE}"),
        (table(HIC, columns=[name for name in COLUMNS if name != "grade4"]), "Line 1: the column grade4 is missing."),
        (table(ITCH, HIC)[:-5], "Line 4: the line does not end, so the file is cut."),
        (table(ITCH, HIC)[:-4] + b"\n", "Line 4: the row has 7 columns and not 10."),
        (table(HIC, ITCH).split(b"of it")[0], "Line 3: the row cannot be read as CSV"),
        (table(HIC, HIC), "Line 3: Hiccups, invented stands in line 2 already."),
        (table(HIC, HIC | {"term": "HICCUPS, invented"}), "Line 3: HICCUPS, invented stands in line 2 already."),
        (table(HIC | {"grade1": "", "grade3": ""}), "Line 2: a term needs its code in digits"),
        (table(HIC).replace(b"10000001", b"x"), "Line 2: a term needs its code in digits"),
    ],
)
def test_a_file_that_is_not_the_table_gets_one_sentence_with_its_line_and_nothing_is_written(load, content, sentence):
    with pytest.raises(CommandError) as told:
        load(content)
    assert sentence in str(told.value) and str(told.value).endswith("Nothing was written.")
    assert str(told.value).count("\n") == 0
    assert not CtcaeTable.objects.exists() and not CtcaeTerm.objects.exists()


def test_a_file_that_is_not_there_gets_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("load_ctcae", str(tmp_path / "none.csv"))


def test_a_byte_order_mark_and_windows_line_ends_are_read():
    content = b"\xef\xbb\xbf" + table(HIC).replace(b"\n", b"\r\n")
    assert read_file(content).terms == read_file(table(HIC)).terms


def test_a_row_cut_in_its_last_column_is_refused():
    with pytest.raises(Refused, match="Line 2: the line does not end"):
        read_file(table(HIC | {"navigational_note": "See itch, invented"})[:-6])


@pytest.mark.parametrize("change", [lambda row: row.delete(), lambda row: row.update(term="Other")])
def test_a_loaded_table_never_changes(load, change):
    load(table(HIC))
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        change(CtcaeTerm.objects.all())
