"""The door for gunicorn; it stays shut on ground that could lose or falsify data (OPS-01)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pallsoft.settings")
application = get_wsgi_application()

from pallsoft.selfcheck import require_fit_to_serve  # noqa: E402 - needs Django set up

require_fit_to_serve()
