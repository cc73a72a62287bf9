"""The request as a view behind the sign-in gets it."""

from django.http import HttpRequest

from pallsoft.accounts.models import User


class AuthenticatedRequest(HttpRequest):
    """LoginRequiredMiddleware lets nobody else reach a view that is not marked as open. For types only."""

    user: User
