from pathlib import Path

from celery import shared_task
from pytest_django.fixtures import Settings

from luthien_site import celery


@shared_task(name="tests.noop")
def noop() -> None:
    """A task of no app."""


def test_shared_tasks_are_bound_to_our_broker() -> None:
    assert noop.app.main == "luthien"


def test_the_folders_of_the_file_broker_are_made(settings: Settings, tmp_path: Path) -> None:
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": str(tmp_path / "celery" / "messages")}
    celery.make_folders()
    assert (tmp_path / "celery" / "messages").is_dir()
