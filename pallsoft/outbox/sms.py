"""Text messages leave through a gateway that the installation chooses (`PALLSOFT_SMS_BACKEND`)."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from pallsoft.outbox.registry import Sms, Undeliverable

TIMEOUT = 10  # seconds; the participant's row is locked meanwhile
AGAIN_LATER = {401, 403, 404, 408, 425, 429}  # the gateway's trouble or ours, not the number's


class Gateway(Protocol):
    def send(self, sms: Sms, key: str) -> None:
        """`key`: the same for each attempt at one message. Raises Undeliverable, or anything to be tried again."""


class FileGateway:
    """For a demonstration: each message a file in `PALLSOFT_SMS_DIR`."""

    def send(self, sms: Sms, key: str) -> None:
        folder = Path(settings.SMS_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{key}.txt").write_text(f"{sms.to}\n\n{sms.body}", encoding="utf-8")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST becomes a GET without its body: what came back would look like a message that was taken."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


class HttpGateway:
    """POSTs {to, text, from} as JSON to `PALLSOFT_SMS_URL`, with the token and a key by which repeats are told."""

    def send(self, sms: Sms, key: str) -> None:
        told = {"to": sms.to, "text": sms.body, "from": settings.SMS_SENDER}
        headers = {
            "Authorization": f"Bearer {settings.SMS_TOKEN.strip()}",
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": key,
        }
        request = urllib.request.Request(settings.SMS_URL, json.dumps(told).encode(), headers, method="POST")
        try:
            with urllib.request.build_opener(NoRedirect).open(request, timeout=TIMEOUT):
                pass
        except urllib.error.HTTPError as refused:
            refused.close()
            if 400 <= refused.code < 500 and refused.code not in AGAIN_LATER:
                raise Undeliverable from None
            raise


def is_set_up() -> bool:
    return bool(settings.SMS_BACKEND)


def gateway() -> Gateway:
    """Raises Undeliverable where none is chosen."""
    if not is_set_up():
        raise Undeliverable
    chosen: Gateway = import_string(settings.SMS_BACKEND)()
    return chosen
