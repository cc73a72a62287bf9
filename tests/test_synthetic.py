"""Test and demonstration data are invented: no valid national identity number anywhere."""

import re
from pathlib import Path

import pytest

from sites.identity_guard import identity_numbers

ROOT = Path(__file__).resolve().parent.parent
# The test vectors that Skatteetaten publishes: they belong to nobody.
VECTORS = {
    "20036914700", "30108299939", "30108299920", "02013299997", "55102499947", "03851598730", "30908299902",
    "41819077302", "41819077906", "29020073150",
}  # fmt: skip
TEXT = {".py", ".yaml", ".html", ".md", ".csv", ".po", ".json", ".sql"}


def files():
    folders = ["tests", "trials", "pallsoft", "sites", "crf", "randomization", "templates", "docs", "benchmarks"]
    return [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in TEXT]


@pytest.mark.req("PRV-08")
def test_no_file_holds_a_valid_national_identity_number():
    found = {
        (path.name, number)
        for path in files()
        for number in identity_numbers(path.read_text(encoding="utf-8"))
        if re.sub(r"\D", "", number) not in VECTORS
    }
    assert found == set()


@pytest.mark.req("PRV-08")
def test_every_address_for_mail_is_one_that_can_belong_to_nobody():
    mails = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
    reserved = re.compile(r"@([\w-]+\.)*(example|example\.(org|com|net|no)|invalid|test|localhost|pallsoft)$")
    text = "\n".join(path.read_text(encoding="utf-8") for path in files() if path.suffix in {".py", ".yaml"})
    real = {mail for mail in mails.findall(text) if not reserved.search(mail)}
    assert {mail for mail in real if "." in mail.split("@")[1] and not mail.endswith(".local")} == set()
