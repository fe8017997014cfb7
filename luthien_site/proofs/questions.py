"""What is asked of a full record: each page as a browser gets it, timed, with the plans of its queries.

`python -m luthien_site.proofs.questions TIMES` prints the answers as JSON; the settings in force name the database.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

SMALL = 1_000
"""A table with fewer rows is rightly read whole."""
_TABLE = re.compile(r"observability_\w+")
LIST_MS, TEXT_MS, CALL_MS, HOME_MS = 300, 1_000, 500, 500
LIST_QUERIES, SESSION_QUERIES, CALL_QUERIES, REVIEW_QUERIES, HOME_QUERIES = 3, 4, 20, 5, 6
SESSIONS = ("", "team:payments", "key:ci", "model:claude-opus-4-5", "verdict:block")
SINGLE = (
    "team:payments", "team:nobody", "key:ci", "session:{session}", "model:claude-opus-4-5", "model:claude-sonnet-4-5",
    "provider:openai", "status:200", "status:529", "policy:secrets", "policy:secrets@2", "verdict:block",
    "verdict:replace", "outcome:finished", "outcome:stalled", "outcome:interrupted", "changed:yes", "changed:no",
    "changed:request", "tool:sql_query", "cost:>0.03", "cost:<0.002", "cost:0.0101..0.0102", "latency:>30s",
    "latency:>10s", "latency:1200ms..1210ms", "after:2d", "before:30d", "-team:payments", "-outcome:finished",
    "-latency:>300ms",
)  # fmt: skip
"""Each filter, with values that are common, seldom and nowhere."""
TEXTS = (
    "ledger", "-ledger", '"rm -rf"', '"ledger refund"', "refund*", "ref*", "nothingatall", "cat pyproject.toml",
    'team:data verdict:block tool:bash "rm -rf"',
)  # fmt: skip
REVIEWS = ("", "policy:secrets", "team:payments")


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luthien_site.settings")
    django.setup()
    sys.stdout.write(json.dumps(list(answers(int(sys.argv[1])))))


def answers(times: int) -> Iterator[dict[str, Any]]:
    """For each page, got once and so many times more, {name, first, median and ms (of 19 in 20 at most), most_ms,
    queries, most_queries, scans}."""
    from urllib.parse import quote

    from django.db import connection

    from observability.models import CallRecord

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as the server does by itself, some time after such a seeding
    call = CallRecord.objects.order_by("-started_at").first()
    assert call is not None
    get = _browser()
    lists = [("the list", "")] + [(text.partition("{")[0], text.format(session=call.session)) for text in SINGLE]
    asked = [(name, f"/calls/?q={quote(text)}", LIST_MS, LIST_QUERIES) for name, text in lists]
    asked += [(text, f"/calls/?q={quote(text)}", TEXT_MS, LIST_QUERIES) for text in TEXTS]
    asked += [("the page of a call", f"/calls/{call.pk}/", CALL_MS, CALL_QUERIES)]
    reviews = [(f"review {text}", f"/review/?q={quote(text)}") for text in REVIEWS]
    asked += [(name, url, LIST_MS, REVIEW_QUERIES) for name, url in reviews]
    asked += [("the home page", "/", HOME_MS, HOME_QUERIES)]
    asked += [(f"sessions {text}", f"/sessions/?q={quote(text)}", LIST_MS, SESSION_QUERIES) for text in SESSIONS]
    asked += [("the page of a session", f"/sessions/{call.session}/", CALL_MS, CALL_QUERIES)]
    get("/calls/")
    for name, url, most_ms, most_queries in asked:
        answer = _answer(name, partial(get, url), times, most_ms, most_queries)
        numbers = "".join(f"{answer[each]:8.0f}" for each in ("first", "median", "ms", "queries"))
        sys.stderr.write(f"{numbers}  {name}\n")
        yield answer


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
    first = _timed(ask)
    with watched() as seen:
        ask()
    times = sorted(_timed(ask) for _ in range(count)) or [first]
    return {
        "name": name,
        "first": first,
        "median": times[len(times) // 2],
        "ms": times[max(int(len(times) * 0.95) - 1, 0)],
        "most_ms": most_ms,
        "queries": len(seen),
        "most_queries": most_queries,
        "scans": [step for sql, parameters in seen for step in scans(sql, parameters)],
    }


def _timed(ask: Callable[[], None]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


@contextmanager
def watched() -> Iterator[list[tuple[str, Any]]]:
    """Fills with the queries of the record that are made inside, but those of the banner over every page."""
    from django.db import connection

    seen: list[tuple[str, Any]] = []

    def watch(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if "SELECT" in sql and "observability_" in sql and "failed_open" not in str(parameters):
            seen.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(watch):
        yield seen


def scans(sql: str, parameters: Any) -> list[str]:
    """The steps of a query's plan that read a table from end to end."""
    from django.db import connection

    found = _scans(sql, parameters)
    if connection.vendor == "sqlite" or not any(map(_is_small, found)):
        return found
    # PostgreSQL rightly reads a small table whole. Where it may not, and there is another way, the plan shows it.
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        otherwise = _scans(sql, parameters)
        cursor.execute("SET enable_seqscan = on")
    return [step for step in found if not _is_small(step)] + [step for step in otherwise if _is_small(step)]


def _scans(sql: str, parameters: Any) -> list[str]:
    from django.db import connection

    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(explain + sql, parameters)
        steps = [str(row[-1]).strip() for row in cursor.fetchall()]
    return [step for step in steps if is_scan(step, steps)]


def _is_small(step: str) -> bool:
    from django.db import connection

    table = _TABLE.search(step)
    assert table is not None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table[0]} LIMIT {SMALL}")  # noqa: S608
        return len(cursor.fetchall()) < SMALL


def is_scan(step: str, steps: Sequence[str] = ()) -> bool:
    """Whether that line of a plan, of either database, reads a whole table; not where it walks along an index, or
    over what another of the `steps` has found."""
    if "Seq Scan on observability_" in step:
        return True
    if not step.startswith("SCAN ") or any(mark in step for mark in ("VIRTUAL TABLE", "USING", "CONSTANT")):
        return False
    return not {f"CO-ROUTINE {step[5:]}", f"MATERIALIZE {step[5:]}"}.intersection(steps)


if __name__ == "__main__":
    main()
