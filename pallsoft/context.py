"""What the page shell needs on every page: navigation and studies."""

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context for templates/base.html: `nav`, `study`, `studies`."""
    return {"nav": [], "study": None, "studies": []}
