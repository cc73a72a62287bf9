"""What a browser that does not care sends."""

import uuid
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"


def body(fields):
    """As a browser that does not care: bytes that are no UTF-8 go through."""
    return urlencode({"seen_version": "0", "key": str(uuid.uuid4())} | fields, errors="surrogatepass")
