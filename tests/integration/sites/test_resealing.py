"""After a change of the key of contact data: all are sealed anew, and the old key can go (PRV-01)."""

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from pallsoft.audit.verification import findings
from sites.management.commands import reseal_contact_data as command
from sites.models import Channel, Contact, ContactChange
from sites.services import ContactFacts, keep_contact
from sites.services.contact import facts_of
from sites.services.resealing import reseal_contact_data, with_older_key

pytestmark = [pytest.mark.django_db, pytest.mark.req("PRV-01")]
NEW = "en ny nøkkel som er lang nok til å brukes"
SAID = ContactFacts(
    name="Åse Blåbærlyng", mail="aase@example.org", channels=frozenset([Channel.MAIL]), language="nb", phone=""
)


@pytest.fixture
def three(enrol, bodo, crc, settings):
    """Three participants with contact data; the key was changed just now, the old one still opens."""
    subjects = [enrol(bodo, birth_year=year) for year in (1950, 1951, 1952)]
    for subject in subjects:
        keep_contact(subject=subject, facts=SAID, by=crc)
    settings.CONTACT_KEYS = [NEW, *settings.CONTACT_KEYS]
    return subjects


def stored():
    return [facts_of(contact) for contact in Contact.objects.all()]


def acts():
    return ChangeSet.objects.filter(action="sites.reseal_contact_data").count()


def test_afterwards_the_old_key_is_not_needed(three, settings, capsys):
    call_command("reseal_contact_data")
    settings.CONTACT_KEYS = [NEW]
    assert stored() == [SAID] * 3
    assert "All contact data have the first key." in capsys.readouterr().out


def test_a_second_run_changes_nothing(three):
    call_command("reseal_contact_data")
    before = set(Contact.objects.values_list("sealed", flat=True))
    call_command("reseal_contact_data")
    assert (set(Contact.objects.values_list("sealed", flat=True)), acts()) == (before, 1)


@pytest.mark.django_db(transaction=True)
def test_each_is_noted_in_the_trail_and_nobody_is_its_author(three, study):
    call_command("reseal_contact_data")
    notes = ContactChange.objects.filter(kind="update").select_related("created_in")
    assert {(note.subject_id, note.created_in.actor_id, note.is_new_key) for note in notes} == {
        (subject.pk, None, True) for subject in three
    }
    assert list(findings(study.pk)) == []


def test_stopped_in_between_it_goes_on_where_it_was(three, monkeypatch, settings):
    monkeypatch.setattr(command, "BATCH", 1)
    reached = []

    def stops_at_the_second(**batch):
        if reached:
            raise KeyboardInterrupt
        reached.append(batch)
        return reseal_contact_data(**batch)

    monkeypatch.setattr(command, "reseal_contact_data", stops_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        call_command("reseal_contact_data")
    assert (len(with_older_key(three[0].study)[0]), acts()) == (2, 1)
    monkeypatch.setattr(command, "reseal_contact_data", reseal_contact_data)
    call_command("reseal_contact_data")
    settings.CONTACT_KEYS = [NEW]
    assert (stored(), acts()) == ([SAID] * 3, 3)


def test_what_the_site_saved_meanwhile_stays(three, crc):
    """Between the look for older keys and the lock."""
    older, _lost = with_older_key(three[0].study)
    keep_contact(subject=three[0], facts=ContactFacts(**vars(SAID) | {"name": "Åse Fjell"}), by=crc)
    saved = Contact.objects.get(subject=three[0]).sealed
    assert reseal_contact_data(study=three[0].study, subjects=older) == 2
    assert Contact.objects.get(subject=three[0]).sealed == saved


def test_what_no_key_opens_is_named_and_stays_and_the_others_are_done(three, settings):
    """A text that lies in another participant's row is such a one."""
    with change_set(study=three[0].study, by=None, action="test.attack"):
        stolen = Contact.objects.get(subject=three[1]).sealed
        Contact.objects.filter(subject=three[0]).update(sealed=stolen)
    with pytest.raises(CommandError, match=f"of {three[0].number}: "):
        call_command("reseal_contact_data")
    assert Contact.objects.get(subject=three[0]).sealed == stolen
    settings.CONTACT_KEYS = [NEW]
    assert [facts_of(Contact.objects.get(subject=subject)) for subject in three[1:]] == [SAID] * 2


def test_without_a_key_it_says_so(three, settings):
    settings.CONTACT_KEYS = []
    with pytest.raises(CommandError, match="nøkkel"):
        call_command("reseal_contact_data")


def test_the_site_reads_that_only_the_key_changed(three, sign_in, crc):
    call_command("reseal_contact_data")
    page = sign_in(crc).get(reverse("contact", args=["PALLSOFT", three[0].number])).content.decode()
    assert "Kryptert med ny nøkkel" in page and "reseal_contact_data" not in page
