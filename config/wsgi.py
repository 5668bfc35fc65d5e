"""The WSGI application, served by granian (`manage.py serve`)."""

import logging
import os

from django.core.wsgi import get_wsgi_application

import config

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()

from config.server.observed import Observed  # noqa: E402 - models can be imported from here on

logging.getLogger("patron.serve").info("Patron %s serves", config.VERSION)

application = Observed(_django)
