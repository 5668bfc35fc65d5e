"""The WSGI application, served by granian (`manage.py serve`)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()

from config.server.observed import Observed  # noqa: E402 - models can be imported from here on

application = Observed(_django)
