from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class ObservabilityConfig(AppConfig):
    name = "observability"
    verbose_name = "Observability"

    def ready(self) -> None:
        from . import telemetry

        # Its receivers turn changes and logins into audit events.
        import_module("observability.audit")
        import_module("observability.accounts").listen()
        import_module("observability.search.indexing").listen()
        import_module("observability.reviews.forgetting").listen()
        telemetry.set_up(settings.OTEL_EXPORTER_OTLP_ENDPOINT)
