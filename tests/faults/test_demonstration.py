"""The demonstration made by several processes at once, on real servers: the list is used in order all the same."""

import pytest

from tests.services import installation

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

# Along each stratum of the fallback list: does a later slot ever go to an earlier randomisation?
OUT_OF_ORDER = """
    SELECT count(*) FROM randomization_allocation a JOIN randomization_allocation b USING (stratum_id)
    WHERE a.seq < b.seq AND a.happened_at > b.happened_at
"""


@pytest.fixture
def filled(tmp_path):
    with installation() as here:
        here.environment["PALLSOFT_DEMO_DIR"] = str(tmp_path)
        here.manage("load_study", "trials/definitions/pallsoft")
        here.manage("seed_demo", "--subjects", "16", "--processes", "3")
        yield here


@pytest.mark.req("RND-03")
def test_three_processes_make_one_demonstration_and_use_the_list_in_order(filled, tmp_path):
    filled.manage("verify_audit")
    filled.manage("randomization_list", "verify", "--study", "PALLSOFT")
    with filled.connect("superuser") as login, login.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sites_subject")
        assert cursor.fetchone()[0] == 16
        cursor.execute("SELECT count(*), count(DISTINCT (stratum_id, seq)) FROM randomization_allocation")
        assert cursor.fetchone() == (12, 12)
        cursor.execute(OUT_OF_ORDER)
        assert cursor.fetchone()[0] == 0
    assert (tmp_path / "accounts.json").exists()
