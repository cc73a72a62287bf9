"""A PostgreSQL that somebody else runs, named by DATABASE_URL."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from tools.database import Plan
from tools.steps import Problem


def plan_from_url(url: str, owner_password: str, app_password: str) -> Plan:
    """postgresql://SUPERUSER:PASSWORD@HOST:PORT/DATABASE; raises Problem when a piece is missing."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql") or not (parts.hostname and parts.username):
        raise Problem("DATABASE_URL must look like postgresql://superuser:password@host:5432/postgres")
    return Plan(
        host=parts.hostname,
        port=parts.port or 5432,
        admin=unquote(parts.username),
        admin_password=unquote(parts.password or ""),
        admin_database=parts.path.lstrip("/") or "postgres",
        owner_password=owner_password,
        app_password=app_password,
    )
