from importlib import import_module

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "luthien_site"
    verbose_name = "Luthien"

    def ready(self) -> None:
        # Binds every @shared_task to our broker, also in processes that only send tasks.
        import_module("luthien_site.celery")
