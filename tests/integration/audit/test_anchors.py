"""AUD-08: whoever owns the whole database can rewrite its chain, yet not what was noted outside of it before."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crf.models import FormData
from pallsoft.audit import anchors
from pallsoft.audit.anchors import SYSTEM, anchor, anchor_findings, anchor_now
from pallsoft.audit.tasks import anchor_daily
from pallsoft.audit.verification import findings
from tests.integration.audit.small_trial import make_trial, rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("AUD-08")]

# Makes every link of a chain anew from the digests as they are now: nothing in the database tells afterwards.
RESEAL = """
    DO $$
    DECLARE v_link audit.seal; v_prev bytea := ''; v_hash bytea := '';
    BEGIN
        FOR v_link IN SELECT * FROM audit.seal WHERE study_id = '{study}' ORDER BY n LOOP
            v_prev := v_hash;
            v_hash := audit.link_hash(v_prev, v_link.study_id, v_link.n, v_link.at, audit.body_of(v_link.change_set));
            UPDATE audit.seal SET prev = v_prev, hash = v_hash WHERE change_set = v_link.change_set;
            UPDATE audit.head SET n = v_link.n, prev = v_prev, hash = v_hash WHERE study_id = v_link.study_id;
        END LOOP;
    END $$
"""


@pytest.fixture
def attacker(superuser):
    """Runs statements with every trigger of the cluster switched off."""
    cursor = superuser.cursor()
    cursor.execute("SET session_replication_role = replica")
    return cursor


@pytest.fixture
def history(trial, form, writing):
    """A form that was changed twice, anchored after each change."""
    for value in ("6", "5"):
        with writing(f"corrected to {value}"):
            FormData.objects.update(data=form.data | {"NRS_PAIN": value})
            anchor(trial.study, "signature")
    assert found() == []
    return trial


def found():
    return [str(finding) for finding in [*findings(), *anchor_findings()]]


def lines():
    return [json.loads(line) for line in anchors.path().read_text(encoding="utf-8").splitlines()]


def test_a_line_says_which_chain_how_long_with_which_hash_and_why(history):
    first, last = lines()
    ((n, hash_),) = rows("SELECT n, encode(hash, 'hex') FROM audit.head WHERE study_id = %s", [history.study.pk])
    assert (last["study"], last["n"], last["hash"], last["why"]) == (str(history.study.pk), n, hash_, "signature")
    ((trailed,),) = rows(
        """SELECT (SELECT count(*) FROM audit.baseline b JOIN audit.change_set c ON c.id = b.change_set
            WHERE c.study_id = %(study)s) + (SELECT count(*) FROM audit.item_change)""",
        {"study": history.study.pk},
    )
    assert (first["prev"], last["rows"], last["rows"] - first["rows"]) == ("", trailed, 1)


def test_every_chain_is_anchored_daily(history):
    assert anchor_daily() == 2
    assert {(line["study"], line["why"]) for line in lines()[-2:]} == {
        (str(SYSTEM), "daily"), (str(history.study.pk), "daily"),
    }  # fmt: skip
    assert found() == []


def test_what_was_rolled_back_anchors_nothing(history, writing):
    with pytest.raises(ZeroDivisionError), writing():
        anchor(history.study, "lock")
        raise ZeroDivisionError
    assert len(lines()) == 2


def test_a_tail_that_was_rewritten_as_a_whole_is_found_by_the_anchor_alone(history, attacker):
    attacker.execute(
        """UPDATE audit.item_change i SET new = '"9"', digest =
        audit.digest_of(i.salt, i.change_set, i.tbl, i.row_id, i.part, i.item, i.old, '"9"')
        WHERE id = (SELECT max(id) FROM audit.item_change)"""
    )
    attacker.execute('UPDATE crf_formdata SET data = data || \'{"NRS_PAIN": "9"}\'')
    attacker.execute(RESEAL.format(study=history.study.pk))
    assert list(findings()) == []  # the new chain holds in itself
    (finding,) = anchor_findings()
    assert finding.seal_n == lines()[-1]["n"]
    assert "had another hash: it was rewritten" in finding.what
    err = StringIO()
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_audit", anchor=True, stderr=err)
    assert "it was rewritten" in err.getvalue()


def test_a_tail_that_was_cut_off_is_found_by_the_anchor_alone(history, attacker):
    n = lines()[-1]["n"]
    attacker.execute("DELETE FROM audit.item_change WHERE id = (SELECT max(id) FROM audit.item_change)")
    attacker.execute(
        "WITH s AS (DELETE FROM audit.seal WHERE n = %s AND study_id = %s RETURNING change_set)"
        " DELETE FROM audit.change_set c USING s WHERE c.id = s.change_set",
        [n, str(history.study.pk)],
    )
    attacker.execute('UPDATE crf_formdata SET data = data || \'{"NRS_PAIN": "6"}\'')
    attacker.execute(RESEAL.format(study=history.study.pk))
    assert list(findings()) == []
    (finding,) = anchor_findings()
    assert (finding.seal_n, finding.what.endswith("is gone: its end was cut off")) == (n, True)


def altered(change):
    path = anchors.path()
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    return " | ".join(str(finding) for finding in anchor_findings())


def test_an_edited_line_of_the_file_is_found(history):
    told = altered(lambda lines: [lines[0].replace(b"signature", b"daily"), lines[1]])
    assert "line 2 of the anchors does not follow the one before" in told
    assert "line 1 of the anchors is missing or altered" in told


def test_a_file_whose_end_was_cut_off_is_found(history):
    assert altered(lambda lines: lines[:1]) == "line 2 of the anchors is missing or altered (1 in all)"


def test_a_file_cut_within_a_line_is_found_and_the_next_anchor_is_told_apart(history):
    assert "line 2 of the anchors is none" in altered(lambda lines: [lines[0], lines[1][:20]])
    anchor_now(history.study.pk, "by hand")
    told = " | ".join(str(finding) for finding in anchor_findings())
    assert "line 2 of the anchors is none" in told
    assert "line 3" not in told


@pytest.mark.parametrize("line", [b"[]\n", b'{"study": "x"}\n', b"\xff\xfe\n", b"\n"])
def test_a_line_of_anything_else_is_found(history, line):
    assert "line 3 of the anchors is none" in altered(lambda lines: [*lines, line])


def test_a_file_that_is_gone_is_found(history):
    anchors.path().unlink()
    assert "there is no file of anchors" in " ".join(found())


def test_a_row_added_to_an_old_link_is_counted(history, attacker):
    """Without the hash: the number of rows alone tells."""
    text = anchors.path().read_text(encoding="utf-8")
    anchors.path().write_text(text.replace('"rows": ', '"rows": 1'), encoding="utf-8")
    assert "rows of the trail, now" in " | ".join(str(finding) for finding in anchor_findings())


def test_one_study_is_compared_apart_from_the_others(history):
    other = make_trial("OTHER")
    anchor_now(None, "by hand")
    anchors.path().write_text(anchors.path().read_text("utf-8").replace(str(other.study.pk), str(other.user.pk)))
    assert any("is gone" in finding.what for finding in anchor_findings())
    assert not any("is gone" in finding.what for finding in anchor_findings(history.study.pk))


def test_the_commands_say_what_they_did(history):
    out = StringIO()
    call_command("anchor_audit", stdout=out)
    call_command("verify_audit", anchor=True, stdout=out)
    assert "2 anchors added to " in out.getvalue()
    assert "It is what the anchors say." in out.getvalue()


def test_an_act_stands_although_its_anchor_cannot_be_written(trial, writing, settings, tmp_path, caplog):
    settings.ANCHOR_DIR = tmp_path / "file"
    settings.ANCHOR_DIR.write_text("no folder")
    with writing("lock"):
        anchor(trial.study, "lock")
    assert rows("SELECT count(*) FROM audit.change_set WHERE reason = 'lock'") == [(1,)]
    assert "on_commit" in caplog.text
