"""A list is brought in once, by one person, opened by another, and proved later; nobody can change it."""

import stat
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from pallsoft.audit.context import change_set
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from randomization.list_file import commitment, read_list, read_seal
from randomization.models import Scheme, Stratum
from randomization.selectors import findings
from randomization.services import confirm_list, import_list
from tests.fixtures.randomizing import TWO_ARMS, randomized
from trials.models import Mode

pytestmark = [pytest.mark.django_db, pytest.mark.req("RND-05")]
commits = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bring_in(study, statistician, list_file):
    def bring(content=None, by=statistician, sha256=None, reason=""):
        content = content or list_file()
        return import_list(study=study, content=content, sha256=sha256 or commitment(content), by=by, reason=reason)

    return bring


@pytest.fixture
def stored(owner):
    """The arms as they lie in the sealed schema: {stratum: [arm, …]}."""

    def read(scheme):
        with owner.cursor() as cursor:
            cursor.execute(
                "SELECT t.code, string_agg(o.arm, '' ORDER BY o.seq) FROM sealed.slot o"
                " JOIN randomization_stratum t ON t.id = o.stratum_id WHERE t.scheme_id = %s GROUP BY 1",
                [str(scheme.pk)],
            )
            return {code: list(arms) for code, arms in cursor.fetchall()}

    return read


@commits
def test_what_is_stored_is_what_was_in_the_file(bring_in, list_file, stored, statistician):
    scheme = bring_in()
    assert stored(scheme) == read_list(list_file()).sequences
    assert (scheme.generator, scheme.imported_by) == ("permuted-blocks-chacha20/1", statistician)
    assert findings(scheme) == []


def test_a_second_person_opens_the_list(bring_in, coordinator):
    scheme = bring_in()
    opened = confirm_list(scheme=scheme, sha256=scheme.list_sha256, by=coordinator)
    assert opened.confirmed_by == coordinator and opened.confirmed_at >= opened.imported_at


def test_whoever_imported_cannot_confirm(bring_in, statistician):
    scheme = bring_in()
    with pytest.raises(NotPermitted, match="second person"):
        confirm_list(scheme=scheme, sha256=scheme.list_sha256, by=statistician)


def test_another_list_holder_may_confirm(bring_in, make_user):
    scheme = bring_in()
    holder = make_user("holder2", "Eirik Ås", "unblinded_statistician")
    assert confirm_list(scheme=scheme, sha256=scheme.list_sha256, by=holder).confirmed_by == holder


def test_a_wrong_commitment_does_not_confirm(bring_in, coordinator):
    with pytest.raises(InvalidInput, match="does not fit the imported"):
        confirm_list(scheme=bring_in(), sha256="0" * 64, by=coordinator)


def test_a_list_is_confirmed_once(bring_in, coordinator):
    scheme = bring_in()
    confirm_list(scheme=scheme, sha256=scheme.list_sha256, by=coordinator)
    with pytest.raises(NotAllowedNow, match="already confirmed"):
        confirm_list(scheme=scheme, sha256=scheme.list_sha256, by=coordinator)


@pytest.mark.parametrize("who", ["crc", "pi", "data_manager", "admin", "coordinator"])
def test_only_the_list_holder_imports(bring_in, request, who):
    with pytest.raises(NotPermitted):
        bring_in(by=request.getfixturevalue(who))
    assert not Scheme.objects.exists()


def test_nobody_at_a_site_confirms(bring_in, pi):
    with pytest.raises(NotPermitted):
        confirm_list(scheme=bring_in(), sha256="", by=pi)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"study": "OTHER"}, "for another study: OTHER"),
        ({"mode": "live"}, "A test list is for a test study"),
        ({"purpose": "practice"}, "central or fallback"),
        ({"arms": (("A", 1), ("C", 1))}, "arms or their ratio"),
        ({"arms": (("A", 2), ("B", 1)), "sizes": (3, 6)}, "arms or their ratio"),
        ({"strata": ("GI|PAIN", "GI|OTHER", "URO|PAIN")}, "strata are not those"),
    ],
)
def test_a_list_that_is_not_for_this_study_is_refused(bring_in, list_file, changes, says):
    with pytest.raises(InvalidInput, match=says):
        bring_in(list_file(**changes))
    assert not Scheme.objects.exists() and not Stratum.objects.exists()


def test_a_test_list_is_refused_in_a_live_study(bring_in, study, list_file):
    with change_set(study=None, by=None, action="test", reason="test"):
        study.mode = Mode.LIVE
        study.save()
    with pytest.raises(InvalidInput, match="A test list is for a test study"):
        bring_in(list_file(mode="test"))


def test_every_fault_is_told_at_once(bring_in, list_file):
    with pytest.raises(InvalidInput) as refusal:
        bring_in(list_file(study="OTHER", mode="live"), sha256="0" * 64)
    assert len(refusal.value.errors["list"]) == 3


def test_an_altered_byte_is_refused(bring_in, list_file):
    content = list_file()
    altered = content[:-2] + (b"A" if content[-2:-1] == b"B" else b"B") + b"\n"
    with pytest.raises(InvalidInput, match="no unaltered list"):
        bring_in(altered, sha256=commitment(content))


def test_the_same_list_is_not_imported_twice(bring_in):
    bring_in()
    with pytest.raises(InvalidInput, match="already imported"):
        bring_in(reason="igjen")


def test_a_further_list_needs_a_reason(bring_in, list_file):
    bring_in()
    with pytest.raises(InvalidInput, match="needs a reason"):
        bring_in(list_file(seed=2))
    assert bring_in(list_file(seed=2), reason="flere pasienter").purpose == "central"


@commits
def test_the_database_compares_the_text_with_the_commitment_itself(bring_in, list_file, owner):
    scheme = bring_in()
    with owner.cursor() as cursor:
        for content in (list_file(seed=2), list_file()):  # another list; the same once more
            with pytest.raises(Exception, match=r"does not fit|duplicate key"):
                cursor.execute("SELECT randomization_import(%s, %s)", [str(scheme.pk), content.decode()])


def test_slots_that_the_strata_do_not_cover_are_refused(study, statistician, list_file):
    content = list_file()
    facts = {"study": study, "generator": "x", "list_sha256": commitment(content), "imported_by": statistician}
    with (
        pytest.raises(DatabaseError, match="do not give the list again"),
        change_set(study=study, by=statistician, action="test"),
        connection.cursor() as cursor,
    ):
        scheme = Scheme.objects.create(**facts)
        Stratum.objects.create(study=study, scheme=scheme, code="GI|PAIN")
        cursor.execute("SELECT randomization_import(%s, %s)", [scheme.pk, content.decode()])
    assert not Scheme.objects.exists()


@commits
@pytest.mark.req("RND-08")
@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE sealed.slot SET arm = CASE arm WHEN 'A' THEN 'B' ELSE 'A' END WHERE seq = 5", {("list", "")}),
        ("DELETE FROM sealed.slot WHERE seq = 30", {("list", "")}),
        ("UPDATE sealed.list SET header = replace(header, 'TOARM', 'TOERM')", {("list", "")}),
        (
            "UPDATE randomization_allocation SET arm = CASE arm WHEN 'A' THEN 'B' ELSE 'A' END WHERE seq = 2",
            {("arm", "BOD-002")},
        ),
        ("UPDATE randomization_allocation SET seq = 9 WHERE seq = 3", {("gap", "BOD-003")}),
        ("DELETE FROM randomization_allocation WHERE seq = 2", {("gap", "BOD-003")}),
        ("UPDATE randomization_allocation SET seq = seq + CASE seq WHEN 1 THEN 21 ELSE -1 END", {("order", "BOD-001")}),
        ("UPDATE randomization_scheme SET confirmed_by_id = NULL, confirmed_at = NULL", {("unconfirmed", "BOD-001")}),
        ("UPDATE randomization_allocation SET inputs = '{}' WHERE seq = 1", {("inputs", "BOD-001")}),
    ],
)
def test_what_a_superuser_changes_is_found(make_ready, open_list, crc, superuser, tampering, found):
    scheme = open_list(slots=40)
    for _ in range(3):
        randomized(make_ready(), crc)
    assert findings(scheme) == []
    with superuser.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(tampering)
    problems = {(one.problem, one.subject) for one in findings(scheme)}
    assert found <= problems
    assert all(str(one) for one in findings(scheme))


def run(*arguments):
    out = StringIO()
    call_command("randomization_list", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def generate(tmp_path):
    def make(*more, mode="test"):
        made = tmp_path / "list.txt", tmp_path / "seal.txt"
        said = run(
            "generate", str(TWO_ARMS), "--mode", mode, "--block-sizes", "6", "4", "--slots", "12",
            "--list", str(made[0]), "--seal", str(made[1]), *more,
        )  # fmt: skip
        return *made, said

    return make


@pytest.mark.req("RND-10")
def test_the_whole_life_of_a_list_from_the_command_line(generate, study, statistician, coordinator, make_ready, crc):
    list_path, seal_path, said = generate()
    sha256 = commitment(list_path.read_bytes())
    assert sha256 in said
    assert stat.S_IMODE(list_path.stat().st_mode) == stat.S_IMODE(seal_path.stat().st_mode) == 0o600
    assert read_seal(seal_path.read_bytes()).block_sizes == (4, 6)
    run("import", str(list_path), "--study", study.oid, "--sha256", sha256, "--by", "statistician")
    assert "in use" in run("confirm", "--sha256", sha256, "--by", "coordinator")
    randomized(make_ready(), crc)
    said = run("verify", "--study", study.oid, "--list", str(list_path), "--seal", str(seal_path))
    assert "byte for byte" in said and "next slot of its stratum" in said


def test_two_lists_never_share_a_seed_by_chance_and_never_overwrite(generate):
    list_path, _seal, _said = generate()
    with pytest.raises(CommandError, match="exists"):
        generate()
    first = list_path.read_bytes()
    for path in list_path.parent.iterdir():
        path.unlink()
    assert generate()[0].read_bytes() != first


def test_a_given_seed_gives_the_list_again(generate, tmp_path):
    seed = tmp_path.parent / f"{tmp_path.name}.seed"
    seed.write_text("ab" * 32)
    list_path, seal_path, _said = generate("--seed-file", str(seed))
    assert read_seal(seal_path.read_bytes()).seed == b"\xab" * 32
    first = list_path.read_bytes()
    list_path.unlink(), seal_path.unlink()
    assert generate("--seed-file", str(seed))[0].read_bytes() == first


@pytest.mark.parametrize("content", ["ab", "no hex", None])
def test_a_seed_that_is_none_is_refused(generate, tmp_path, content):
    seed = tmp_path / "seed"
    if content:
        seed.write_text(content)
    with pytest.raises(CommandError):
        generate("--seed-file", str(seed))


@pytest.mark.parametrize("sizes", [["4"], ["2", "4"]])
def test_a_live_list_that_is_easily_guessed_is_refused(tmp_path, sizes):
    with pytest.raises(CommandError, match="easily guessed"):
        run(
            "generate", str(TWO_ARMS), "--mode", "live", "--block-sizes", *sizes, "--slots", "12",
            "--list", str(tmp_path / "l"), "--seal", str(tmp_path / "s"),
        )  # fmt: skip


def test_an_impossible_plan_and_a_broken_definition_are_told(tmp_path):
    rest = ["--mode", "test", "--slots", "12", "--list", str(tmp_path / "l"), "--seal", str(tmp_path / "s")]
    with pytest.raises(CommandError, match="multiple of the sum"):
        run("generate", str(TWO_ARMS), "--block-sizes", "5", *rest)
    with pytest.raises(CommandError, match=r"is missing|not a directory"):
        run("generate", str(tmp_path), "--block-sizes", "4", *rest)


def test_refusals_of_import_and_confirm_are_told(study, statistician, list_file, tmp_path):
    path = tmp_path / "list"
    path.write_bytes(list_file(mode="live"))
    sha256 = commitment(path.read_bytes())
    with pytest.raises(CommandError, match="A test list is for a test study"):
        run("import", str(path), "--study", study.oid, "--sha256", sha256, "--by", "statistician")
    with pytest.raises(CommandError, match="There is no nobody"):
        run("import", str(path), "--study", study.oid, "--sha256", sha256, "--by", "nobody")
    with pytest.raises(CommandError, match="There is no"):
        run("confirm", "--sha256", sha256, "--by", "statistician")
    path.write_bytes(list_file())
    sha256 = commitment(path.read_bytes())
    run("import", str(path), "--study", study.oid, "--sha256", sha256, "--by", "statistician")
    with pytest.raises(CommandError, match="second person"):
        run("confirm", "--sha256", sha256, "--by", "statistician")


@commits
def test_verify_tells_what_is_wrong_and_fails(sealed_list, study, superuser, generate):
    with superuser.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE sealed.slot SET arm = 'A'")
    with pytest.raises(CommandError, match="not the one that its commitment"):
        run("verify", "--study", study.oid)
    list_path, seal_path, _said = generate()
    seal_path.write_bytes(seal_path.read_bytes().replace(b"seed: ", b"seed: 00"))
    with pytest.raises(CommandError, match="the seed must be 32 bytes"):
        run("verify", "--list", str(list_path), "--seal", str(seal_path))


def test_a_seal_of_another_list_does_not_verify(generate, tmp_path, list_file):
    _list, seal_path, _said = generate()
    other = tmp_path / "other"
    other.write_bytes(list_file())
    with pytest.raises(CommandError, match="does not give this list"):
        run("verify", "--list", str(other), "--seal", str(seal_path))
