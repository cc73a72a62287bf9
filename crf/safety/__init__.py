"""Serious adverse events: the clock that runs until the sponsor knows, and the mail that says there is one."""
