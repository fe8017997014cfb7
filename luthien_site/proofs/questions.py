"""What is asked of a full record: each page as a browser gets it, timed, with the plans of its queries.

`python -m luthien_site.proofs.questions TIMES` prints the answers as JSON; the settings in force name the database.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

LIST_MS, TEXT_MS, CALL_MS = 300, 1_000, 500
LIST_QUERIES = 3
CATCHING_UP = 3
"""Queries more by which a search brings the index up to date."""
SINGLE = (
    "team:payments", "key:ci", "session:{session}", "model:claude-opus-4-5", "provider:openai", "status:529",
    "policy:secrets", "policy:secrets@2", "verdict:block", "outcome:stalled", "outcome:finished", "changed:request",
    "tool:sql_query", "cost:>0.03", "latency:>30s", "after:2d", "before:30d",
)  # fmt: skip
TEXTS = ("ledger", '"rm -rf"', "refund*", "nothingatall", 'team:data verdict:block tool:bash "rm -rf"')
TABLES = ("observability_callrecord", "observability_searchentry", "observability_decision", "observability_block")


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luthien_site.settings")
    django.setup()
    sys.stdout.write(json.dumps(list(answers(int(sys.argv[1])))))


def answers(times: int) -> Iterator[dict[str, Any]]:
    """For each page, got so many times, {name, ms (of 19 in 20 at most), most_ms, queries, most_queries, scans}."""
    from urllib.parse import quote

    from django.db import connection

    from observability.models import CallRecord

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    call = CallRecord.objects.order_by("-started_at").first()
    assert call is not None
    get = _browser()
    lists = [("the list", "")] + [(text.partition("{")[0], text.format(session=call.session)) for text in SINGLE]
    asked = [(name, f"/calls/?q={quote(text)}", LIST_MS, LIST_QUERIES + CATCHING_UP) for name, text in lists]
    asked += [(text, f"/calls/?q={quote(text)}", TEXT_MS, LIST_QUERIES + CATCHING_UP) for text in TEXTS]
    asked += [("the page of a call", f"/calls/{call.pk}/", CALL_MS, 20)]
    for name, url, most_ms, most_queries in asked:
        yield _answer(name, partial(get, url), times, most_ms, most_queries)


def _browser() -> Callable[[str], None]:
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(User.objects.get_or_create(username="prover", defaults={"is_superuser": True})[0])

    def get(url: str) -> None:
        status = client.get(url).status_code
        if status != 200:
            raise AssertionError(f"{url} answered {status}")

    return get


def _answer(name: str, ask: Callable[[], None], count: int, most_ms: int, most_queries: int) -> dict[str, Any]:
    ask()
    with _watched() as seen:
        ask()
    times = sorted(_timed(ask) for _ in range(count))
    return {
        "name": name,
        "ms": times[max(int(count * 0.95) - 1, 0)] * 1000,
        "most_ms": most_ms,
        "queries": len(seen),
        "most_queries": most_queries,
        "scans": [step for sql, parameters in seen for step in scans(sql, parameters)],
    }


def _timed(ask: Callable[[], None]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


@contextmanager
def _watched() -> Iterator[list[tuple[str, Any]]]:
    """Fills with the queries of the record that are made inside, but those of the banner over every page."""
    from django.db import connection

    seen: list[tuple[str, Any]] = []

    def watch(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT") and any(table in sql for table in TABLES) and "failed_open" not in str(parameters):
            seen.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(watch):
        yield seen


def scans(sql: str, parameters: Any) -> list[str]:
    """The steps of a query's plan that read a table from end to end."""
    from django.db import connection

    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A small table is rightly read whole. Where it may not be, and there is another way, the plan shows it.
            cursor.execute("SET enable_seqscan = off")
        cursor.execute(explain + sql, parameters)
        steps = [str(row[-1]).strip() for row in cursor.fetchall()]
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = on")
    return [step for step in steps if is_scan(step)]


def is_scan(step: str) -> bool:
    """Whether that line of a plan, of either database, reads a whole table. Walking along an index is none."""
    if "Seq Scan on observability_" in step:
        return True
    return step.startswith("SCAN ") and "VIRTUAL TABLE" not in step and "USING" not in step and "CONSTANT" not in step


if __name__ == "__main__":
    main()
