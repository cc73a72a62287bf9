#!/usr/bin/env python3
"""Makes the secrets of docker-compose.yml in ./secrets, once: `python3 docker/make_secrets.py`.

The TLS certificate and key (secrets/tls.crt, secrets/tls.key), the password of the mail server (secrets/mail_password)
and the token of the gateway of text messages (secrets/sms_token) come from your organisation.
"""

import secrets
import sys
from pathlib import Path


def contents() -> dict[str, str]:
    broker = secrets.token_urlsafe(32)
    return {
        "postgres_password": secrets.token_urlsafe(32),
        "owner_password": secrets.token_urlsafe(32),
        "app_password": secrets.token_urlsafe(32),
        "secret_key": secrets.token_urlsafe(64),
        "contact_keys": secrets.token_urlsafe(64),
        "redis_url": f"redis://:{broker}@valkey:6379/0",
        "valkey.conf": f"requirepass {broker}\n",
    }


def main(folder: Path) -> str:
    """One sentence about what was done; nothing that exists is ever overwritten.

    The folder is closed to everybody else; the files in it are not, because each container reads
    those it is given under a user number of its own.
    """
    if folder.exists():
        return f"{folder} is already there: to make new secrets, move it away first."
    folder.mkdir(mode=0o700)
    for name, text in contents().items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o444)
    return f"Made {folder}. Put tls.crt, tls.key, mail_password and sms_token there (docs/deploy.md)."


if __name__ == "__main__":
    sys.stdout.write(main(Path("secrets")) + "\n")
