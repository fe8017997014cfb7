"""The Celery application: each app's `tasks.py`, over Redis or over files in the data directory."""

import os
from pathlib import Path

from celery import Celery
from django.conf import settings

from luthien_site import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luthien_site.settings")
broker.register()
app = Celery("luthien")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def make_folders() -> None:
    """Makes the folders of the broker that lives in the file system; it makes none itself."""
    for folder in getattr(settings, "CELERY_BROKER_TRANSPORT_OPTIONS", {}).values():
        Path(folder).mkdir(parents=True, exist_ok=True)


make_folders()
