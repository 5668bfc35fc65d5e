"""The WSGI application, served by granian (`manage.py serve`)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from auth_providers.tokens import session_use  # noqa: E402 - models can be imported from here on

__all__ = ["application", "session_use"]
