"""From a form to a service and back: a refusal of the service stands at the field it is about."""

from collections.abc import Callable
from typing import TypeVar

from django import forms

from pallsoft.errors import InvalidInput, NotAllowedNow

Result = TypeVar("Result")


def submitted(form: forms.Form, act: Callable[[], Result]) -> Result | None:
    """What `act` returns, when the form is bound and valid and the service agrees; else None, with the form's errors.

    `act` reads `form.cleaned_data` and calls one service. `form.stands_at`: {name in the service: field here}.
    NotPermitted and Conflict are not caught: they have pages of their own.
    """
    if not form.is_valid():
        return None
    try:
        return act()
    except InvalidInput as refusal:
        for name, sentences in refusal.errors.items():
            name = getattr(form, "stands_at", {}).get(name, name)
            form.add_error(name if name in form.fields else None, sentences)
    except NotAllowedNow as refusal:
        form.add_error(None, refusal.message)
    return None
