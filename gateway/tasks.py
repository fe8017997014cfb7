"""What the workers do for the console."""

from celery import shared_task


@shared_task(name="gateway.backtest")
def backtest(pk: int) -> None:
    """Runs the backtest of that key."""
    # Only a worker that does it pays for loading all of the gateway.
    from gateway.console.backtest import running

    running.run(pk)
