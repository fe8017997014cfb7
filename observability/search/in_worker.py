"""A worker fills the index from its start to its end. To be imported where its tasks are."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_ready, worker_shutdown

from observability.jobs import workers

from .indexer import Indexer, of_worker

_indexers: list[Indexer] = []


def _begin(**_: Any) -> None:
    _indexers.append(of_worker(workers.own_name()))
    _indexers[-1].start()


def _end(**_: Any) -> None:
    while _indexers:
        _indexers.pop().stop()


worker_ready.connect(_begin)
worker_shutdown.connect(_end)
