"""When beat runs what: the CELERY_BEAT_SCHEDULE of the settings. Knows no Django."""

from typing import Any

from celery.schedules import crontab

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # Before the collection, which takes the bodies of what went.
    "purge": {"task": "observability.purge", "schedule": crontab(hour="2", minute="17")},
    "collect blobs": {"task": "observability.collect_blobs", "schedule": crontab(hour="3", minute="17")},
    "sweep the search": {"task": "observability.sweep_search", "schedule": crontab(hour="4", minute="17")},
    "expire reports": {"task": "observability.expire_reports", "schedule": 600.0, "options": {"expires": 600}},
    # What comes often is worth nothing late: messages for a worker that is away must not pile up.
    "look after jobs": {"task": "observability.look_after_jobs", "schedule": 30.0, "options": {"expires": 30}},
    "notify": {"task": "gateway.notify", "schedule": 2.0, "options": {"expires": 10}},
    "forget deliveries": {"task": "gateway.forget_deliveries", "schedule": crontab(hour="3", minute="43")},
}
