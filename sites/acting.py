"""The frame of every write below: the permission first, then one change set that names the role it was done in."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from sites.models import Site
from sites.permissions import Permission, require
from trials.models import Study


@contextmanager
def acting(
    permission: Permission,
    *,
    study: Study | None,
    by: User | None,
    action: str,
    reason: str = "",
    site: Site | None = None,
) -> Iterator[UUID]:
    """A transaction with its change set, opened when `by` has the permission there; yields the change set's id.

    `by` None is the system itself (a management command). Raises NotPermitted.
    """
    role = require(by, permission, study, site) if by else ""
    with change_set(study=study, by=by, action=action, reason=reason, role=role, site=site) as current:
        yield current
