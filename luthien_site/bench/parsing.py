"""What reading costs that policies for tools do in every call: a shell command, an SQL statement. In this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from time import perf_counter

from luthien_site.bench.measure import Figures, percentile
from policies import shell
from policies.library.sql_protection import parsing

COMMANDS = (
    "git status",
    "ls -la src | head -20",
    "cd /srv/app && npm test -- --watch=false 2>&1 | tail -50",
    'grep -rn "TODO" --include="*.py" . | wc -l',
    "find . -name '*.pyc' -exec rm -f {} +",
    'for f in *.txt; do mv "$f" "${f%.txt}.md"; done',
    "cat > a.py <<'END'\nprint('hello')\nEND\npython a.py",
    "sudo env DEBUG=1 bash -c 'rm -rf build && make -j4 all'",
)
"""Commands as agents run them."""
STATEMENTS = (
    "SELECT id, name FROM customers WHERE id = 42",
    "SELECT c.name, sum(o.total) FROM customers c JOIN orders o ON o.customer = c.id GROUP BY c.name ORDER BY 2 DESC",
    "UPDATE orders SET state = 'sent', sent_at = now() WHERE id IN (1, 2, 3)",
    "INSERT INTO log (at, text) VALUES (now(), 'it''s done')",
    "DELETE FROM sessions WHERE expires < now() - interval '1 day'",
    "ALTER TABLE customers ADD COLUMN note text",
)
DIALECT = "postgres"


async def shell_parse(seconds: float) -> Figures:
    """Microseconds to read a shell command into what it may do."""
    return _timed(shell.read, COMMANDS, seconds)


async def sql_parse(seconds: float) -> Figures:
    """Microseconds to parse an SQL statement as `sql_protection` does."""
    return _timed(lambda statement: parsing.parse(statement, DIALECT), STATEMENTS, seconds)


def _timed(read: Callable[[str], object], texts: Sequence[str], seconds: float) -> Figures:
    for text in texts:
        read(text)
    taken: list[float] = []
    until = perf_counter() + seconds
    for text in cycle(texts):
        began = perf_counter()
        read(text)
        ended = perf_counter()
        taken.append((ended - began) * 1e6)
        # Each text as often as the others, or the median would be of the first.
        if ended > until and len(taken) % len(texts) == 0:
            return {"us_p50": percentile(taken, 0.5), "us_p99": percentile(taken, 0.99)}
    raise AssertionError("a cycle has no end")
