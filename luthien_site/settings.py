"""Every setting, read from the environment. `.env.example` explains the variables."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from luthien_site import environment
from luthien_site.log_format import logging_config
from observability.schedule import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = environment.flag("LUTHIEN_DEBUG")

# Luthien's own

LUTHIEN_DATA_DIR = environment.folder("LUTHIEN_DATA_DIR", BASE_DIR / "var")
LUTHIEN_ADMIN_PASSWORD = environment.text("LUTHIEN_ADMIN_PASSWORD")
LUTHIEN_CONFIG = environment.text("LUTHIEN_CONFIG")
LUTHIEN_SIGNING_KEY = environment.signing_key(environment.text("LUTHIEN_SIGNING_KEY"), LUTHIEN_DATA_DIR)
LUTHIEN_ANCHOR_FILE = Path(environment.text("LUTHIEN_ANCHOR_FILE", str(LUTHIEN_DATA_DIR / "anchor.jsonl")))
LUTHIEN_RECORD = environment.choice("LUTHIEN_RECORD", "blocking", "async", "off")
LUTHIEN_SPILL_MB = environment.number("LUTHIEN_SPILL_MB", 1024)
LUTHIEN_AUTH = environment.choice("LUTHIEN_AUTH", "keys", "passthrough", "both")
LUTHIEN_HIDDEN_HISTORY = environment.choice("LUTHIEN_HIDDEN_HISTORY", "refuse", "allow")
LUTHIEN_REMOTE_SECRETS = environment.secrets_by_name("LUTHIEN_REMOTE_SECRETS")
LUTHIEN_PRIVATE_HOSTS = environment.items("LUTHIEN_PRIVATE_HOSTS")
LUTHIEN_URL = environment.text("LUTHIEN_URL", "http://127.0.0.1:8000").rstrip("/")
LUTHIEN_WHY = environment.choice("LUTHIEN_WHY", "public", "login")
LUTHIEN_CONTACT = environment.text("LUTHIEN_CONTACT")
LUTHIEN_EMBEDDED_WORKER = environment.flag("LUTHIEN_EMBEDDED_WORKER")
ANTHROPIC_API_KEY = environment.text("ANTHROPIC_API_KEY")
OPENAI_API_KEY = environment.text("OPENAI_API_KEY")
REDIS_URL = environment.text("REDIS_URL")
OTEL_EXPORTER_OTLP_ENDPOINT = environment.text("OTEL_EXPORTER_OTLP_ENDPOINT")
LUTHIEN_TRACE_URL = environment.address_with("LUTHIEN_TRACE_URL", "{trace_id}")

# Applications

INSTALLED_APPS = [
    # The development server. It brings all of Twisted, which no other process needs.
    *(["daphne"] if "runserver" in sys.argv else []),
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "ninja",
    "policies",
    "observability",
    "gateway",
    "luthien_site",
]
ROOT_URLCONF = "luthien_site.urls"
ASGI_APPLICATION = "luthien_site.asgi.application"
# All of it can run asynchronously: one middleware that cannot would move the first chunk of a stream into another task.
MIDDLEWARE = [
    "luthien_site.security.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "luthien_site.static_files.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
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
                "observability.context_processors.alarms",
            ],
        },
    },
]

# Security

SECRET_KEY = environment.secret_key(environment.text("LUTHIEN_SECRET_KEY"), LUTHIEN_DATA_DIR)
_public = urlsplit(LUTHIEN_URL)
_https = _public.scheme == "https"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *environment.items("LUTHIEN_HOSTS")]
if _public.hostname and _public.hostname not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(_public.hostname)
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"] if _https else []
# TLS ends at a proxy in front; only one that Luthien is told of by its https address is believed.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_AGE = 7 * 24 * 3600
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Storage, messages between processes, jobs

DATABASES = {"default": environment.database(environment.text("DATABASE_URL"), LUTHIEN_DATA_DIR / "luthien.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS: dict[str, dict[str, object]] = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CELERY_BROKER_URL = "files://localhost//"
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = str(LUTHIEN_DATA_DIR / "celery" / "beat-schedule")
if REDIS_URL:
    # The pubsub layer survives a restart of Redis; the other one closes every socket.
    CHANNEL_LAYERS["default"] = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
    CELERY_BROKER_URL = REDIS_URL
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(LUTHIEN_DATA_DIR / "celery" / "messages"),
        "data_folder_out": str(LUTHIEN_DATA_DIR / "celery" / "messages"),
        "control_folder": str(LUTHIEN_DATA_DIR / "celery" / "control"),
    }

# Static files: served by WhiteNoise from where they lie, nothing to collect

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

# Language, time, logs

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_config(
    level=environment.choice("LUTHIEN_LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR"),
    style=environment.choice("LUTHIEN_LOG_FORMAT", "console", "json"),
)
