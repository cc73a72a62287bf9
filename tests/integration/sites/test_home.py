"""The landing page, the shell, the front door of a study."""

import uuid
from datetime import date

import pytest
from django.urls import reverse

from pallsoft.context import shell
from sites import services, worklist
from sites.models import AgeBand, Role, ScreeningOutcome, Sex
from sites.worklist import WorkItem, sections, work_items
from tests.fixtures import DEFINITION
from trials.checker import check
from trials.services import publish_version

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode()


@pytest.fixture
def make_other_study(db):
    """The second, invented trial of the repository, with a role for one person."""

    def make(user, role):
        loaded, _problems = check(DEFINITION.parent / "munntorr")
        other = publish_version(loaded=loaded, by=None).version.study
        services.assign_role(study=other, user=user, role=role, site=None, by=None)
        return other

    return make


@pytest.fixture
def entry(crc, bodo):
    return services.log_screening(
        site=bodo, screened_in=date(2026, 9, 1), age_band=AgeBand.FROM_70, sex=Sex.FEMALE, key=uuid.uuid4(), by=crc
    )


def test_an_open_screening_waits_for_the_nurse(sign_in, crc, entry):
    assert f"#entry-{entry.pk}" in text(sign_in(crc).get("/"))


def test_a_closed_screening_waits_for_nobody(crc, study, entry):
    services.close_screening(entry=entry, outcome=ScreeningOutcome.DECLINED, reason_code="declined", by=crc)
    assert "screening" not in {item.kind for item in work_items(crc, study)}


def test_a_subject_in_screening_waits_for_the_nurse(crc, study, subject):
    assert any(subject.number in item.sentence for item in work_items(crc, study))


@pytest.mark.req("ACC-02")
def test_nothing_waits_at_another_site(outsider, study, subject):
    assert work_items(outsider, study) == []


def test_when_all_is_done_the_page_says_so(sign_in, admin):
    assert 'class="empty"' in text(sign_in(admin).get("/"))


def test_without_a_role_the_page_says_whom_to_ask(sign_in, make_user):
    assert 'class="empty"' in text(sign_in(make_user("uten", "Uten Rolle")).get("/"))


def test_what_is_due_first_stands_first(monkeypatch, crc, study):
    items = [
        WorkItem("uten dag", "/", "due"),
        WorkItem("sent", "/", "due", date(2026, 9, 9)),
        WorkItem("tidlig", "/", "due", date(2026, 9, 1)),
    ]
    monkeypatch.setattr(worklist, "_providers", [lambda user, study: items])
    assert [item.sentence for item in work_items(crc, study)] == ["tidlig", "sent", "uten dag"]


def test_what_is_overdue_stands_before_what_is_due_and_the_minutes_are_added(monkeypatch, sign_in, crc, study):
    items = [
        WorkItem("W4 kan gjøres", "/", "due", minutes=4),
        WorkItem("W2 er forfalt", "/", "overdue", minutes=3),
        WorkItem("W8 er forfalt", "/", "overdue", minutes=9),
    ]
    monkeypatch.setattr(worklist, "_providers", [lambda user, study: items])
    assert [(one.group, one.minutes) for one in sections(work_items(crc, study))] == [("urgent", 12), ("due", 4)]
    page = text(sign_in(crc).get("/"))
    assert page.index("W8 er forfalt") < page.index("W4 kan gjøres")
    assert "ca. 12 min" in page


@pytest.mark.parametrize(
    ("name", "shown", "hidden"),
    [
        ("crc", ["subject-list", "screening", "recruitment", "sites"], ["export", "users"]),
        ("data_manager", ["subject-list", "export"], ["users"]),
        ("admin", ["users", "sites"], ["subject-list", "screening", "recruitment", "export"]),
        ("statistician", ["export", "recruitment"], ["subject-list", "screening", "users"]),
    ],
)
def test_the_navigation_holds_what_the_role_may_open(request, sign_in, study, bodo, name, shown, hidden):
    page = text(sign_in(request.getfixturevalue(name)).get("/"))
    links = {link: f'href="{reverse(link, args=[study.oid])}"' in page for link in shown + hidden}
    assert links == dict.fromkeys(shown, True) | dict.fromkeys(hidden, False)


@pytest.mark.parametrize(("name", "page"), [("crc", "subject-list"), ("admin", "study-description")])
def test_the_front_door_leads_to_what_the_role_may_see(request, sign_in, study, bodo, name, page):
    response = sign_in(request.getfixturevalue(name)).get(reverse("study", args=[study.oid]))
    assert response["Location"] == reverse(page, args=[study.oid])


def test_a_fragment_without_the_shell_asks_the_database_nothing(rf, crc, django_assert_num_queries):
    request = rf.get("/")
    request.user, request.resolver_match = crc, None
    with django_assert_num_queries(0):
        context = shell(request)
    with django_assert_num_queries(2):
        assert context["nav"]


@pytest.mark.parametrize("count", [1, 6])
def test_a_longer_list_costs_no_more_queries(sign_in, crc, enrol, bodo, study, count, django_assert_max_num_queries):
    for n in range(count):
        enrol(bodo, birth_year=1930 + n)
    client = sign_in(crc)
    for name in ("subject-list", "screening"):
        with django_assert_max_num_queries(16):
            client.get(reverse(name, args=[study.oid]))


def test_a_person_of_two_studies_can_change_between_them(sign_in, crc, make_other_study, study):
    other = make_other_study(crc, Role.DATA_MANAGER)
    page = text(sign_in(crc).get("/"))
    assert all(reverse("study", args=[one.oid]) in page for one in (study, other))
