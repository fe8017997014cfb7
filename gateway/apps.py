from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "gateway"
    verbose_name = "Gateway"

    def ready(self) -> None:
        """Hand the record what it cannot import: how to read recorded bodies."""
        from gateway.dialects import DIALECTS
        from observability import content

        for name, dialect in DIALECTS.items():
            content.register(name, dialect)
