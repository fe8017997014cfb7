"""What backtests keep of calls whose contents are gone: how they ended, and nothing that anybody said."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.console.backtest.models import BacktestCall


def forget(sender: object, call_ids: Sequence[str], **kwargs: object) -> None:
    """Receives `contents_gone`. Reasons and judges' answers may quote the call."""
    BacktestCall.objects.filter(call_id__in=call_ids).update(reason="", judgements={})
