"""Every setting of Patron, read from the environment (README, "Running it in production").

One file: what a deployment can change is here and nowhere else.
"""

from pathlib import Path

import django_stubs_ext

import config
from config.environment import messages, secrets, single_sign_on, storage
from config.environment.variables import Environment

django_stubs_ext.monkeypatch()  # so that `ModelAdmin[Customer]` is an expression, not only a type

env = Environment()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var"))).absolute()

VERSION = config.VERSION
DEBUG = False
DEMO = env.flag("DEMO", False)
if DEMO or not env.text("DATABASE_URL"):
    storage.private_directory(VAR_DIR)
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, at_least=1, at_most=65_535)
WORKERS = env.number("WORKERS", 0, at_least=0, at_most=256)  # 0: `manage.py serve` chooses
# Where Prometheus asks: for `serve` and what it runs, and for a `work` that runs by itself; 0: nowhere.
METRICS_HOST = env.text("METRICS_HOST", "127.0.0.1")
METRICS_PORT = env.number("METRICS_PORT", 0, at_least=0, at_most=65_535)
WORKER_METRICS_PORT = env.number("WORKER_METRICS_PORT", 0, at_least=0, at_most=65_535)
# An OTLP collector that spans are sent to, by HTTP, and Sentry's address of the project that errors are reported to.
OTEL_EXPORTER_OTLP_ENDPOINT = env.called_address("OTEL_EXPORTER_OTLP_ENDPOINT")
SENTRY_DSN = env.dsn("SENTRY_DSN")
PUBLIC_URL = env.web_address("PUBLIC_URL", f"http://localhost:{PORT}")
LOOPBACK = (".localhost", "127.0.0.1", "[::1]")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", LOOPBACK if DEMO else ("localhost", "127.0.0.1"))

# -- secrets ----------------------------------------------------------------------------------------------------------
_demo_directory = VAR_DIR if DEMO else None
SECRET_KEY = secrets.signing_key(env, demo_directory=_demo_directory)
SECRET_KEY_FALLBACKS = env.texts("SECRET_KEY_FALLBACKS")
# Fernet keys, newest first: the first encrypts, every one of them decrypts (cryptography's MultiFernet).
ENCRYPTION_KEYS = secrets.encryption_keys(env, demo_directory=_demo_directory)

# -- the application --------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "config.apps.StaffAdminConfig",
    "config.telemetry.apps.TelemetryConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "social_django",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "tenants",
    "customers",
    "auth_providers",
]
# The API needs neither cookies nor CSRF protection; StaffMiddleware does nothing outside the back office.
MIDDLEWARE = [
    "config.server.probes.ProbeMiddleware",
    "config.middleware.ForwardedProtoMiddleware",
    "config.middleware.HostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ResponseHeadersMiddleware",
    "config.cors.ContractCorsMiddleware",
    "config.middleware.StaffMiddleware",
]
SILENCED_SYSTEM_CHECKS = [
    "security.W002",  # ResponseHeadersMiddleware forbids framing on every page
    "security.W003",  # StaffMiddleware has Django's own, where a cookie gives access; and so for these:
    "admin.E408",
    "admin.E409",
    "admin.E410",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.pages.version",
            ],
        },
    },
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["auth_providers.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
AUTHENTICATION_BACKENDS = ["config.staff.roles.StaffBackend"]
# Staff sign in with a second factor; only the demo, which is no one's production, lets a password do.
DEMO_STAFF_PASSWORD = secrets.read_secret(env, "DEMO_STAFF_PASSWORD", demo_directory=VAR_DIR) if DEMO else ""
DEMO_APPLICATION_SECRET = secrets.read_secret(env, "DEMO_APPLICATION_SECRET", demo_directory=VAR_DIR) if DEMO else ""
STAFF_SECOND_FACTOR = env.flag("STAFF_SECOND_FACTOR", not DEMO)
# Where staff log in with their company's account; None: nowhere (config/staff/single_sign_on.py).
STAFF_SINGLE_SIGN_ON = single_sign_on.read(env)
STAFF_PASSWORDS = env.flag("STAFF_PASSWORDS", True)

# -- what it keeps ----------------------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = storage.databases(env, f"sqlite:///{VAR_DIR / 'patron.sqlite3'}")
# Where staff's lists and exports are read (tenants/replicas.py).
DATABASE_REPLICAS = [name for name in DATABASES if name != "default"]
# PgBouncer before 1.21 knows no prepared statements in transaction mode.
PREPARED_STATEMENTS = env.flag("PREPARED_STATEMENTS", True)
CACHES = {"default": storage.cache(env)}

# -- passwords (OWASP ASVS 5.0, appendix C) ---------------------------------------------------------------------------
PASSWORD_HASHERS = [
    "auth_providers.accounts.passwords.Argon2idHasher",
    # Read only: what an import brings, or what older settings wrote, is rehashed at the next log-in.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "auth_providers.foreign_hashes.strong.BcryptHasher",
    "auth_providers.foreign_hashes.strong.WordPressBcryptHasher",
    "auth_providers.foreign_hashes.strong.Pbkdf2Sha1Hasher",
    "auth_providers.foreign_hashes.strong.Pbkdf2Sha256Hasher",
    "auth_providers.foreign_hashes.strong.Pbkdf2Sha512Hasher",
    "auth_providers.foreign_hashes.strong.ScryptHasher",
    "auth_providers.foreign_hashes.strong.Sha256CryptHasher",
    "auth_providers.foreign_hashes.strong.Sha512CryptHasher",
    "auth_providers.foreign_hashes.strong.MagentoArgon2Hasher",
    "auth_providers.foreign_hashes.strong.FirebaseScryptHasher",
    "auth_providers.foreign_hashes.weak.WrappedHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# A file of passwords to refuse, one a line, lower-case, plain or gzipped; empty: the list that Django ships (20,000).
REFUSED_PASSWORDS_FILE = env.file("REFUSED_PASSWORDS_FILE")

# -- mail -------------------------------------------------------------------------------------------------------------
_email = messages.mail(env, (VAR_DIR / "mail").as_uri() if DEMO else "smtp://localhost:25")
ANYMAIL = _email["ANYMAIL"]
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"]
EMAIL_HOST = _email["EMAIL_HOST"]
EMAIL_PORT = _email["EMAIL_PORT"]
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _email["EMAIL_USE_TLS"]
EMAIL_USE_SSL = _email["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.mailbox("DEFAULT_FROM_EMAIL", "Patron <patron@localhost>")

# -- text messages (auth_providers/messaging/text_messages.py) ---------------------------------------------------------
# `console:`, `file:///directory` or the gateway's address, with {to} or {digits} (the number with or without its +),
# {text}, {sender} and {reference} (the same for every attempt) wherever they go, and user:password@ for HTTP Basic.
# Empty: none are sent.
# The body is what is posted, JSON or a form, with the same words to fill in; empty: the address is called with GET.
# The third is the header of that name, for gateways with keys.
_sms = messages.gateway(env, "SMS", (VAR_DIR / "sms").as_uri() if DEMO else "")
SMS_URL, SMS_BODY, SMS_AUTHORIZATION = _sms
SMS_SENDER = env.text("SMS_SENDER", "Patron")
# The same for a second gateway, which is called when the first one is down.
SMS_FALLBACK_URL, SMS_FALLBACK_BODY, SMS_FALLBACK_AUTHORIZATION = messages.gateway(env, "SMS_FALLBACK")

# -- the contracts: their tables of paths, in the order in which they are tried (tenants/api/contracts.py) ------------
CONTRACTS = [
    "config.contracts.account",
    "config.contracts.emporix",
    "config.contracts.events",
    "config.contracts.kibo",  # before the next one, which has tenants' codes where this one has words
    "config.contracts.neostore",
    "config.contracts.oauth",
]
# Returns the codes that no tenant may have, because they are words of some contract's paths.
RESERVED_TENANT_CODES = "tenants.api.contracts.reserved_codes"

# Months of the audit trail that the worker leaves there, on PostgreSQL (tenants/trail/partitions.py); 0: all.
AUDIT_TRAIL_MONTHS = storage.trail_months(env)

# -- the outbox: what sends each kind of message (tenants/outbox/worker.py) --------------------------------------------
# Where the worker is told of new messages (LISTEN): no pooler may be in between. Empty: it looks every second.
DIRECT_DATABASE_URL = storage.direct_database(env)
OUTBOX_SENDERS = {
    "email": "auth_providers.messaging.senders.send_mails",
    "sms": "auth_providers.messaging.senders.send_text_messages",
    "webhook": "auth_providers.messaging.webhook_delivery.deliver",
}

# -- other identity providers ----------------------------------------------------------------------------------------
# Host names of providers that may lie in a private network or on this machine; every other provider may not.
ALLOWED_PROVIDER_HOSTS = env.hosts("ALLOWED_PROVIDER_HOSTS")

# -- the web ----------------------------------------------------------------------------------------------------------
# Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed, e.g. "10.0.0.0/8,127.0.0.1".
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
# No cookie gives access to the API, so any origin may call it; name origins to narrow that.
CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS")
CORS_ALLOW_ALL_ORIGINS = not CORS_ALLOWED_ORIGINS
CORS_ALLOW_HEADERS = ["accept", "authorization", "content-type"]  # and each contract's own (config/cors.py)
CORS_EXPOSE_HEADERS = ["retry-after"]
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
WHITENOISE_USE_FINDERS = True  # served from their folders: nothing to collect
LANGUAGE_CODE = "en"
# What mails are written in.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("pl", "Polski")]
LOCALE_PATHS = [BASE_DIR / "templates" / "locale"]
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["config.formats"]
USE_TZ = True
_https = PUBLIC_URL.startswith("https://")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", _https)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", 31_536_000 if _https else 0, at_least=0, at_most=1_000_000_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds: a support clerk's shift
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "config.pages.not_from_our_page"
# Called once in each worker process of the server.
AT_WORKER_START = ["auth_providers.tokens.session_use.start"]
# The deadline for reading headers, and the one for reading a body.
REQUEST_SECONDS = env.number("REQUEST_SECONDS", 10, at_least=1, at_most=60)
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # bytes, also the limit of an API body

# -- logs: to standard error, never a query string or a header (tokens travel there) ----------------------------------
LOG_FORMATTERS = {
    "TEXT": {
        "()": "config.logs.RedactingFormatter",
        "format": "{asctime} {levelname} {name}: {message}",
        "style": "{",
    },
    "JSON": {"()": "config.logs.JsonFormatter"},
}
LOG_HANDLERS: dict[str, dict[str, object]] = {
    "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["outage"]}
}
if SENTRY_DSN:
    LOG_HANDLERS["sentry"] = {"()": "config.telemetry.reports.handler", "level": "ERROR", "filters": ["outage"]}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": LOG_FORMATTERS[env.choice("LOG_FORMAT", "TEXT", tuple(LOG_FORMATTERS))]},
    "filters": {"outage": {"()": "config.server.outage.OutageFilter"}},
    "handlers": LOG_HANDLERS,
    "root": {"handlers": [*LOG_HANDLERS], "level": env.choice("LOG_LEVEL", "WARNING", LOG_LEVELS)},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "patron": {"level": "INFO"},  # starts with the version and log-ins of staff, whatever LOG_LEVEL is
        "urllib3": {"level": "INFO"},  # at DEBUG it would write the addresses that it calls, queries and all
    },
}
# Titles and tokens differ by contract (config/docs.py); no hooks: an enumeration is described where it is used.
SPECTACULAR_SETTINGS = {
    # It would look at every path at once; each contract's document is made, and checked by a test, on its own.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    "TITLE": "Patron",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "ENFORCE_NON_BLANK_FIELDS": True,
    "POSTPROCESSING_HOOKS": [],
}
