"""A gateway's metrics, as a proof reads them."""

from __future__ import annotations

import asyncio
import re


async def gauge(port: int, name: str) -> float:
    """The value of the metric without labels of that name; 0.0 if it says nothing of it. Raises OSError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        said = (await reader.read(-1)).decode(errors="replace")
    finally:
        writer.close()
    return value(said, name)


def value(said: str, name: str) -> float:
    """Of a metric in Prometheus's text format."""
    found = re.search(rf"^{re.escape(name)} ([-+0-9.e]+)$", said, re.MULTILINE)
    return float(found[1]) if found else 0.0
