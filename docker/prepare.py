"""Before anything serves: makes the two logins and the database, then migrates as the owner.

Runs once at each start of docker-compose.yml and changes nothing when all is there.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.database import Plan, prepare


def secret(name: str) -> str:
    return Path(os.environ[f"{name}_FILE"]).read_text(encoding="utf-8")


def main() -> None:
    prepare(
        Plan(
            host=os.environ["PALLSOFT_DB_HOST"],
            port=int(os.environ.get("PALLSOFT_DB_PORT", "5432")),
            name=os.environ.get("PALLSOFT_DB_NAME", "pallsoft"),
            admin="postgres",
            admin_password=secret("POSTGRES_PASSWORD"),
            owner_password=secret("PALLSOFT_DB_PASSWORD_OWNER"),
            app_password=secret("PALLSOFT_DB_PASSWORD_APP"),
        )
    )
    os.execvp(sys.executable, [sys.executable, "manage.py", "migrate", "--no-input"])


if __name__ == "__main__":
    main()
