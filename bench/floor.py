"""Settings of the floor: Django with one raw SELECT and nothing else, under Patron's own server."""

import os

import dj_database_url

SECRET_KEY = "the floor keeps no secret"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "bench.floor_urls"
DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"], conn_max_age=600)}
USE_TZ = True
# What `config.server.rsgi` reads.
REQUEST_SECONDS = 10
AT_WORKER_START: list[str] = []
METRICS_PORT = 0
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
