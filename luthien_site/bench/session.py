"""What an agent's session takes on disk: 100 turns that each send the whole conversation, about 200 KB.

The conversation is of files as an agent reads them, here Python's own library, so that it compresses as such do.
"""

from __future__ import annotations

import json
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from luthien_site.bench import worker
from luthien_site.bench.client import Pool
from luthien_site.bench.gateway import Gateway
from luthien_site.bench.measure import Figures, Target
from luthien_site.bench.workload import WORD, Dialect, head

BEGINNING = 150_000
"""Bytes that are said before the first turn that is measured: instructions, tools, files."""
TURN = 1000
FILES = ("argparse.py", "tarfile.py", "subprocess.py", "inspect.py", "pathlib.py")
_SIZES = {
    # Without the free pages: a database that has any does not grow, whatever is put into it.
    "sqlite": "SELECT (page_count - freelist_count) * page_size "
    "FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()",
    "postgres": "SELECT pg_database_size(current_database())",
}
_BODIES = """
    SELECT (SELECT COALESCE(SUM(LENGTH(digest) + LENGTH(data)), 0) FROM observability_blob)
         + (SELECT COALESCE(SUM(LENGTH(target) + LENGTH(source)), 0) FROM observability_blobreference)
         + (SELECT COALESCE(SUM(COALESCE(LENGTH(opening_bodies), 0) + COALESCE(LENGTH(closing_bodies), 0)), 0)
            FROM observability_callrecord)
"""
"""What all bodies take, names and references among it."""


async def session_bytes(target: Target, turns: int) -> Figures:
    """Bytes a call on record, bodies alone and all that the database grew by, beside bodies raw and compressed once."""
    assert isinstance(target.child, Gateway)
    setting = target.child.setting
    size = _SIZES["postgres" if setting.database_url else "sqlite"]
    store = worker.connect(setting)
    compressor, pool = zstandard.ZstdCompressor(), Pool(target.port)
    raw = compressed = 0
    try:
        async with worker.running(setting, store):
            before, stored = worker.number(store, size), worker.number(store, _BODIES)
            for body in bodies(target.dialect, target.model, turns):
                reply = await pool.call(head(target.dialect, target.key, len(body)) + body)
                target.verify(reply)
                answer = bytes(reply.body)
                raw += len(body) + len(answer)
                compressed += len(compressor.compress(body)) + len(compressor.compress(answer))
            await worker.indexed(store)
            grown, stored = worker.number(store, size) - before, worker.number(store, _BODIES) - stored
    finally:
        pool.close()
        store.close()
    return {
        "raw_bytes_per_call": raw / turns,
        "zstd_bytes_per_call": compressed / turns,
        "stored_bytes_per_call": stored / turns,
        "bytes_per_call": grown / turns,
        "times_less_than_zstd": compressed / stored,
    }


def bodies(dialect: Dialect, model: str, turns: int) -> Iterator[bytes]:
    """The requests of one session."""
    text = _text(BEGINNING + turns * TURN)
    system, said = text[: BEGINNING // 5], text[BEGINNING // 5 :]
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Mend the tests of this project."}]
    place = 0
    while place < BEGINNING - len(system):
        place = _exchange(messages, said, place, 4 * TURN)
    for turn in range(turns):
        place = _exchange(messages, said, place, TURN)
        asked = {"role": "user", "content": f"say Turn {turn}\nrepeat 20 {WORD}"}
        yield _body(dialect, model, system, [*messages, asked])


def _exchange(messages: list[dict[str, Any]], said: str, place: int, size: int) -> int:
    """The model said something, and a tool's result came; returns how far the text is used up."""
    middle, end = place + size // 4, place + size
    messages.append({"role": "assistant", "content": said[place:middle]})
    messages.append({"role": "user", "content": said[middle:end]})
    return end


def _body(dialect: Dialect, model: str, system: str, messages: list[dict[str, Any]]) -> bytes:
    body: dict[str, Any] = {"model": model, "stream": False}
    if dialect == "anthropic":
        body |= {"max_tokens": 4096, "system": system, "messages": messages}
    else:
        body |= {"messages": [{"role": "system", "content": system}, *messages]}
    return json.dumps(body, separators=(",", ":")).encode()


def _text(size: int) -> str:
    folder = Path(sysconfig.get_paths()["stdlib"])
    text = "".join((folder / name).read_text(encoding="utf-8") for name in FILES)
    # Never the same text twice, which no conversation holds.
    return text[:size]
