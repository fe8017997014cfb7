"""When beat runs what: the CELERY_BEAT_SCHEDULE of the settings. Knows no Django."""

from typing import Any

from celery.schedules import crontab

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "collect blobs": {"task": "observability.collect_blobs", "schedule": crontab(hour="3", minute="17")},
    "fail stuck jobs": {"task": "observability.fail_stuck_jobs", "schedule": 60.0},
}
