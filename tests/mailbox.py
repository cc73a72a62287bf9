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
    `stops_before`: a word of the server that it keeps back until that is set to "" again, so that a test can act just
    then. MAIL_TAKEN is the 250 by which the mail becomes the server's (RFC 5321, 4.2.5); GOODBYE comes after it.
    `stopped`: it waits there; `left`: the sender ended meanwhile.
    """

    MAIL_TAKEN, GOODBYE = "250", "221"

    def __init__(self):
        self.mails = []
        self.receiving = threading.Event()
        self.held = False
        self.refused = {}
        self.stops_before = ""
        self.stopped, self.left = threading.Event(), threading.Event()

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        if address not in self.refused:
            envelope.rcpt_tos.append(address)
        return self.refused.get(address, "250 OK")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the name aiosmtpd calls
        await self._stop_before(self.MAIL_TAKEN)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        self.receiving.set()
        while self.held:
            await asyncio.sleep(0.05)
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):  # noqa: N802
        await self._stop_before(self.GOODBYE)
        return "221 Bye"

    async def _stop_before(self, word):
        while self.stops_before == word:
            self.stopped.set()
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:  # the sender's connection is lost
                self.left.set()
                raise

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
