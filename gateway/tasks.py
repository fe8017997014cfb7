"""What the workers do for the console."""

from celery import shared_task

from observability.jobs.turns import in_turn


@shared_task(name="gateway.backtest")
def backtest(pk: int) -> None:
    """Runs the backtest of that key."""
    # Only a worker that does it pays for loading all of the gateway.
    from gateway.console.backtest import running

    running.run(pk)


@shared_task(name="gateway.notify")
def notify() -> None:
    """Tells endpoints what they asked to be told of."""
    from gateway.notifications import delivering, outbox

    outbox.empty()
    # One round after the other, as long as they bring something: a worker is not taken for good.
    for _ in range(5):
        if not delivering.deliver():
            return


@shared_task(name="gateway.forget_deliveries")
@in_turn(12 * 3600)
def forget_deliveries() -> None:
    """Deletes deliveries of long ago."""
    from gateway.notifications import delivering

    delivering.forget()
