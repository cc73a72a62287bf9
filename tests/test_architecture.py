"""The walls of the house: imports, file sizes, style, translations."""

import ast
import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.messages import catalogue, messages_of_python, messages_of_templates

ROOT = Path(__file__).resolve().parent.parent
APPS = ["pallsoft", "trials", "sites", "crf", "randomization"]
SOURCE_CEILING, TEST_CEILING = 400, 500
BUILT_STAGES = {"main job", "data quality"}
OFF_TEMPLATES = re.compile(r"\sstyle=|<script(?![^>]*\bsrc=)(?![^>]*application/json)|\son[a-z]+=|hx-on|js:")

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]")


def python_files(*folders: str) -> list[Path]:
    return [p for folder in folders for p in (ROOT / folder).rglob("*.py") if "migrations" not in p.parts]


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / name
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True)


def test_imports_point_only_downwards():
    result = tool("lint-imports", "--no-cache")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("arguments", [("check", "."), ("format", "--check", ".")])
def test_the_code_is_formatted_and_linted(arguments):
    result = tool("ruff", *arguments)
    assert result.returncode == 0, result.stdout


def test_every_type_fits(tmp_path):
    """`strict` in pyproject.toml, with Django's models known. The cache is made anew, so that it can hide nothing."""
    result = tool("mypy", "--no-error-summary", "--cache-dir", str(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_file_is_too_long_to_read():
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for folders, ceiling in ((APPS, SOURCE_CEILING), (["tests"], TEST_CEILING))
        for path in python_files(*folders)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > ceiling
    ]
    assert long == []


def test_every_function_says_what_it_returns():
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files(*APPS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.returns is None
    ]
    assert silent == []


def test_every_module_says_what_it_is_for():
    files = [path for path in python_files(*APPS, "tools", "benchmarks", "tests") if path.stat().st_size]
    silent = [path for path in files if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


def test_templates_hold_no_inline_style_or_script():
    found = [
        f"{path.relative_to(ROOT)}: {match.group().strip()}"
        for path in (ROOT / "templates").rglob("*.html")
        for match in OFF_TEMPLATES.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_no_view_or_service_names_an_item_of_a_study():
    """Forms are data: an item OID of a definition never stands in Python (a second trial is a new file)."""
    definitions = ROOT / "trials" / "definitions"
    oids = set(re.findall(r"^\s*-?\s*(?:oid|form|item): ([A-Z][A-Z0-9_]{3,})\s*$", _all_yaml(definitions), re.M))
    oids -= {path.parent.name.upper() for path in definitions.glob("*/study.yaml")}  # the trials' own names
    assert len(oids) > 100
    named = [
        f"{path.relative_to(ROOT)}: {node.value}"
        for path in python_files(*APPS)
        if "demo" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in oids
    ]
    assert named == []


def _all_yaml(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml"))


def test_every_message_has_a_norwegian_translation():
    translated = catalogue(ROOT / "locale" / "nb" / "LC_MESSAGES" / "django.po")
    wanted = messages_of_python(python_files(*APPS)) | messages_of_templates((ROOT / "templates").rglob("*.html"))
    assert sorted(message for message in wanted if not translated.get(message)) == []


def test_translations_keep_every_placeholder():
    broken = [
        message
        for message, text in catalogue(ROOT / "locale" / "nb" / "LC_MESSAGES" / "django.po").items()
        if set(PLACEHOLDER.findall(message)) != set(PLACEHOLDER.findall(text))
    ]
    assert broken == []


def test_every_requirement_of_the_built_stages_is_named_by_a_test():
    with (ROOT / "docs" / "requirements.csv").open(encoding="utf-8", newline="") as file:
        wanted = {row["id"] for row in csv.DictReader(file) if row["stage"] in BUILT_STAGES}
    named = set(re.findall(r"[A-Z]{3}-\d\d", "".join(_marks(path) for path in python_files("tests"))))
    assert sorted(wanted - named) == []


def _marks(path: Path) -> str:
    return " ".join(re.findall(r"mark\.req\(([^)]*)\)", path.read_text(encoding="utf-8")))


def test_no_test_takes_anything_from_another_test():
    """What several share stands in fixtures, where a reader looks for it."""
    taken = re.compile(r"^(?:from|import) tests\.(?:\w+\.)*test_\w+", re.MULTILINE)
    found = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py") if taken.search(path.read_text())}
    assert found == set()
