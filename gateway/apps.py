from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "gateway"
    verbose_name = "Gateway"

    def ready(self) -> None:
        """Hand the record what it cannot import: how bodies are read, whose records a key reads, what is to forget."""
        from gateway.console.backtest.forgetting import forget as forget_backtested
        from gateway.dialects import DIALECTS, responses_dialect
        from gateway.notifications.forgetting import forget as forget_told
        from gateway.reading import reader
        from observability import api
        from observability.bodies import content
        from observability.retention.signals import contents_gone

        for name, dialect in DIALECTS.items():
            content.register(name, dialect)
        # What was taken in under another setting can still be read.
        lenient = responses_dialect(hidden_history=True)
        content.register(lenient.name, lenient)
        api.register_key_check(reader)
        contents_gone.connect(forget_backtested, dispatch_uid="backtests")
        contents_gone.connect(forget_told, dispatch_uid="notifications")
