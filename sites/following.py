"""A port: what follows for other apps when a fact about a subject is corrected (`crf` settles its forms again)."""

from collections.abc import Callable, Set

from pallsoft.accounts.models import User
from sites.models import Subject

Follower = Callable[[Subject, Set[str], User], None]
_followers: list[Follower] = []


def register(follower: Follower) -> None:
    """Called from `ready()` of an app: `follower(subject, changed, by)` runs in the transaction of the correction.

    `changed`: references as rules write them, such as "subject.sex" (trials/scope.py).
    """
    _followers.append(follower)


def follow(subject: Subject, changed: Set[str], by: User) -> None:
    for follower in _followers:
        follower(subject, changed, by)
