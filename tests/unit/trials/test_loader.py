"""The files are plain YAML: every scalar is text, every node knows its line, and nothing hostile gets in."""

import os
import re
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from trials.loader import MAX_BYTES, Node, Refused, load_tree, parse

FILES = {
    "study.yaml": "oid: X\n",
    "code_lists.yaml": "{}\n",
    "eligibility.yaml": "{}\n",
    "schedule.yaml": "events: []\n",
}


@pytest.fixture
def definition(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "forms").mkdir()
    return tmp_path


def refusal(text):
    with pytest.raises(Refused) as refused:
        parse(text, "x.yaml")
    return refused.value


@pytest.mark.parametrize(
    "scalar",
    [
        "NO", "no", "yes", "true", "null", "~", "1", "01", "1.0", "1e3", "0x1F", "0o17", "1_000", ".inf", ".nan", "-0",
        "2026-09-01", "2026-09", "01.09.2026", "12:30", "1:30:00", "=", "Sør-Øst", "č đ ŋ",
    ],
)  # fmt: skip
def test_every_scalar_stays_the_text_that_was_written(scalar):
    assert parse(f"a: {scalar}\nb: [{scalar}]\n", "x.yaml").plain() == {"a": scalar, "b": [scalar]}


TEXTS = st.text("abcæø 019.-'\"#\n", max_size=12)
TREES = st.recursive(TEXTS, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", min_size=1), inner))


@settings(max_examples=40)
@given(TREES)
def test_what_was_written_as_yaml_is_read_back(tree):
    writer, stream = YAML(), StringIO()
    writer.default_style = '"'
    writer.dump({"top": tree}, stream)
    assert parse(stream.getvalue(), "x.yaml").plain() == {"top": tree}


def test_every_node_knows_its_line():
    node = parse("a: 1\nb:\n  - c: 2\n  - d: >\n      long\n      text\n", "x.yaml")
    lines = [node.at(path).line for path in [("a",), ("b",), ("b", 0, "c"), ("b", 1, "d")]]
    assert lines == [1, 2, 3, 4]


def test_a_path_that_leads_nowhere_ends_at_the_nearest_node():
    node = parse("a:\n  - b: 1\n", "x.yaml")
    assert (node.at(("a", 0, "missing", "label")).line, node.at(("a", 7)).line, node.at(("z",)).line) == (2, 1, 1)


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        (BOMB, "anchors and aliases", 1),
        ("a: 1\nb: *x\n", "anchors and aliases", 2),
        ("a: 1\n<<: {b: 2}\na: 3\n", "a stands here twice", 3),
        ("a:\n  b: 1\n  b: 2\n", "b stands here twice", 3),
        ("a: 1\nb: !!python/object/apply:os.system ['id']\n", "tags are not allowed", 2),
        ("a: !secret x\n", "tags are not allowed", 1),
        ("a: !!str 1\n", "tags are not allowed", 1),
        ("a: 1\n---\nb: 2\n", "more than one document", 2),
        ("? [a]\n: 1\n", "a key has to be a text", 1),
        ("a: " + "[" * 5000, "nested deeper", 1),
        ("".join(f"{' ' * n}a:\n" for n in range(40)), "nested deeper", 13),
        ("a: 1\nb: [1, 2\n", "is not YAML", 3),
        ("a: 1\n\tb: 2\n", "is not YAML", 2),
        ("a: 1\nb: 'x\n", "is not YAML", 3),
        ('a: 1\nb: "\\0"\n', "U+0000", 2),
        ('a: "\\u202e"\n', "U+202E", 1),
        ('a: "\\ud800"\n', "", 1),
        ("", "is empty", 1),
        ("# only a comment\n", "is empty", 1),
        ("%YAML 9.9\n---\na: 1\n", "is not YAML", 1),
    ],
)
def test_hostile_yaml_is_refused_with_its_line(text, message, line):
    refused = refusal(text)
    assert message in refused.message
    assert refused.line == line


@given(st.text(max_size=80) | st.text("ab:-[]{}&*!|>'\"%@`#? \n\t,", max_size=80))
def test_any_text_is_read_or_refused(text):
    try:
        assert isinstance(parse(text, "x.yaml"), Node)
    except Refused as refused:
        assert refused.line >= 1


def problems_of(directory):
    return [str(problem) for problem in load_tree(directory)[2]]


def test_a_good_directory_has_no_problems_and_keeps_its_files(definition):
    tree, files, problems = load_tree(definition)
    assert (problems, files) == ([], FILES)
    assert tree.plain() == {"oid": "X", "code_lists": {}, "eligibility": {}, "events": [], "forms": []}


def write(content):
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "make", "problem"),
    [
        ("study.yaml", write(b"oid: X\ntitle: \xff\xfe\n"), "study.yaml:2: is not UTF-8"),
        (
            "study.yaml",
            write("oid: X\n# \u202e\n".encode()),
            "study.yaml:2: holds the sign U+202E, which cannot be seen",
        ),
        ("study.yaml", write(b"oid: \x00\n"), "study.yaml:1: holds the sign U+0000, which cannot be seen"),
        ("study.yaml", write(b"#" * (MAX_BYTES + 1)), f"study.yaml:1: is larger than {MAX_BYTES} bytes"),
        ("study.yaml", lambda path: path.unlink(), "study.yaml:1: is missing"),
        ("study.yaml", write(b"forms: []\n"), "study.yaml:1: forms has a file of its own"),
        ("schedule.yaml", write(b"events: []\nvisits: []\n"), "schedule.yaml:2: visits is not a known key"),
        ("forms/A.yml", write(b"a: 1\n"), "forms/A.yml:1: does not belong to a definition"),
        ("forms/deep/A.yaml", write(b"a: 1\n"), "forms/deep/A.yaml:1: does not belong to a definition"),
        ("notes.txt", write(b"hello"), "notes.txt:1: does not belong to a definition"),
        ("forms/A.yaml", lambda path: path.symlink_to("/etc/passwd"), "forms/A.yaml:1: is not an ordinary file"),
        ("forms/A.yaml", os.mkfifo, "forms/A.yaml:1: is not an ordinary file"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(definition, name, make, problem):
    path = definition / name
    path.parent.mkdir(exist_ok=True)
    make(path)
    assert any(found.startswith(problem) for found in problems_of(definition)), problems_of(definition)


def test_a_linked_directory_is_not_followed(definition, tmp_path_factory):
    link = tmp_path_factory.mktemp("x") / "link"
    link.symlink_to(definition)
    assert [re.sub("^.*link", "link", problem) for problem in problems_of(link)] == ["link:1: is not a directory"]


def test_linked_forms_are_not_followed(definition, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("x")
    (elsewhere / "A.yaml").write_text("a: 1\n")
    (definition / "forms").rmdir()
    (definition / "forms").symlink_to(elsewhere)
    assert problems_of(definition) == ["forms:1: does not belong to a definition"]


def test_a_thousand_forms_are_too_many(definition):
    for number in range(201):
        (definition / f"forms/F{number}.yaml").write_text("a: 1\n")
    assert problems_of(definition) == ["forms:1: holds more than 200 files"]


def test_files_from_windows_are_read_alike(definition):
    (definition / "study.yaml").write_bytes("\ufeffoid: X\r\nsponsor: Æ\r\n".encode())
    tree, _files, problems = load_tree(definition)
    assert (problems, tree.at(("sponsor",)).value) == ([], "Æ")
