"""The number of the request being answered, for error pages, change sets and the access log."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
