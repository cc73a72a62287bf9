"""Places and people of the demonstration: the sites opened one after another, an account for each role."""

import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from django.contrib.auth.hashers import make_password

from pallsoft.accounts.models import User, Verification
from pallsoft.demo.names import STUDY_STAFF, Post, site_posts
from sites import services
from sites.centres import Centre
from sites.models import Site, Task
from trials.models import Status, Study
from trials.selectors import live_version

WORDS = ("fjord", "multe", "lyng", "havn", "furu", "skarv", "hegg", "myr", "tind", "vidde", "sild", "kvist")
DAYS_BETWEEN_OPENINGS = 9
WHY = "Invented demonstration data"
PHONE = "12 34 56 78"  # no Norwegian number begins so


@dataclass(frozen=True)
class Place:
    """A site of the demonstration with those of its people who enter data."""

    site: Site
    physician: User
    nurse: User


def place_of(site: Site) -> Place:
    _leader, physician, nurse = (User.objects.get(username=post.username) for post in site_posts(site.code))
    return Place(site, physician, nurse)


def leader_of(site: Site) -> User:
    return User.objects.get(username=site_posts(site.code)[0].username)


def open_study(study: Study, centres: Iterable[Centre], start: date) -> list[Site]:
    """Study and sites, open for randomisation; `start`: the day on which the first site opened."""
    if study.status == Status.PLANNED:
        study = services.set_study_status(study=study, status=Status.OPEN, by=None, reason=WHY)
    services.resume_randomization(study=study, by=None, reason=WHY)
    known = {site.code: site for site in study.sites.all()}
    sites = [known.get(one.code) or services.create_site(study=study, **vars(one), by=None) for one in centres]
    return [_opened(site, start + timedelta(days=n * DAYS_BETWEEN_OPENINGS)) for n, site in enumerate(sites)]


def opened_on(site: Site) -> date:
    """The day since which the site takes part; every site of the demonstration has one."""
    if site.status_since is None:
        raise RuntimeError(f"{site} is not open")
    return site.status_since


def _opened(site: Site, since: date) -> Site:
    services.set_site_phone(site=site, phone=PHONE, by=None)
    services.approve_version(
        site=site,
        version=live_version(site.study),
        ethics_approved_on=since - timedelta(days=30),
        ethics_reference="606316",
        active_from=since,
        by=None,
    )
    return services.set_site_status(site=site, status=Status.OPEN, since=since, by=None, reason=WHY)


@dataclass
class Staff:
    """Everybody, with the one password of this demonstration; it is written to the accounts file and nowhere else."""

    study: Study
    start: date
    password: str

    def __post_init__(self) -> None:
        self._hash = make_password(self.password)
        self.accounts: list[dict[str, str]] = []

    def at(self, site: Site) -> None:
        """The three people of a site, with the tasks that its principal investigator gives."""
        leader, physician, nurse = (self._hire(post, [site]) for post in site_posts(site.code))
        for user, task in (
            (physician, Task.CONFIRM_ELIGIBILITY),
            (physician, Task.SIGN),
            (physician, Task.RANDOMIZE),
            (nurse, Task.RANDOMIZE),
            (nurse, Task.REPORT_SAE),
        ):
            services.delegate_task(
                site=site, user=user, task=task, valid_from=opened_on(site), valid_until=None, by=leader
            )

    def of_study(self, sites: dict[str, Site]) -> dict[str, User]:
        """The people of the study as a whole, by user name."""
        return {post.username: self._hire(post, [sites[code] for code in post.sites]) for post in STUDY_STAFF}

    def _hire(self, post: Post, sites: list[Site]) -> User:
        user = services.invite_user(
            study=self.study,
            username=post.username,
            full_name=post.full_name,
            email=f"{post.username}@pallsoft.example",
            profession=post.profession,
            by=None,
        )
        user.password = self._hash
        user.save(update_fields=["password"])
        user = services.verify_identity(study=self.study, user=user, how=Verification.EMPLOYER, by=None)
        everywhere: list[Site | None] = [None]
        for site in sites or everywhere:
            services.assign_role(study=self.study, user=user, role=post.role, site=site, valid_from=self.start, by=None)
        self.accounts.append(
            {
                "username": post.username,
                "password": self.password,
                "full_name": post.full_name,
                "role": post.role,
                "site": ", ".join(post.sites),
            }
        )
        return user


def new_password() -> str:
    """Three words and a number: 12^3 x 9000 ways, behind a rate limit, on a machine that holds nothing real."""
    return "-".join([*(secrets.choice(WORDS) for _ in range(3)), str(1000 + secrets.randbelow(9000))])


def write_accounts(accounts: list[dict[str, str]], directory: Path) -> Path:
    """`accounts.json` in `directory`, readable by its owner only; the nurse in Bodø first."""
    path = directory / "accounts.json"
    ordered = sorted(accounts, key=lambda account: account["username"] != "nurse.bod")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        json.dump(ordered, file, ensure_ascii=False, indent=1)
    return path
