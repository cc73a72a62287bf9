"""A real mail server on this machine, for tests; what arrived lies in `mails`."""

import asyncio
import contextlib
import email
import email.policy
import threading

from aiosmtpd.controller import Controller

from tools import system
from tools.testing import wait_for


class Mailbox:
    """Collects mails. While `held`, it has the mail but does not answer yet, as a slow server.

    `refused`: {address: what the server says instead of taking it}, "550 No such user".
    """

    def __init__(self):
        self.mails = []
        self.receiving = threading.Event()
        self.held = False
        self.refused = {}

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        if address not in self.refused:
            envelope.rcpt_tos.append(address)
        return self.refused.get(address, "250 OK")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the name aiosmtpd calls
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.receiving.set()
        while self.held:
            await asyncio.sleep(0.05)
        return "250 OK"

    def subjects(self):
        return [mail["Subject"] for mail in self.mails]

    def wait(self, count, seconds=60.0):
        wait_for(lambda: len(self.mails) >= count, seconds, f"mail {count}")


@contextlib.contextmanager
def mail_server():
    """Yields (mailbox, port)."""
    mailbox, port = Mailbox(), system.free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()
