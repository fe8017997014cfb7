import json

import pytest

from luthien_site.bench.workload import PATHS, WHOLE, Dialect, Requests, paced


def parts(request: bytes) -> tuple[list[str], dict[str, object]]:
    head, body = request.split(b"\r\n\r\n", 1)
    return head.decode().split("\r\n"), json.loads(body)


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "responses"])
def test_a_request_is_well_formed_in_its_dialect(dialect: Dialect) -> None:
    request = Requests(WHOLE, dialect, "bench", "secret").next()
    head, body = parts(request)
    length = len(request) - len("\r\n".join(head)) - 4
    assert head[0] == f"POST {PATHS[dialect]} HTTP/1.1"
    assert f"content-length: {length}" in head
    assert "authorization: Bearer secret" in head
    assert body["model"] == "bench"
    assert body["stream"] is False
    assert ("system" in body) == (dialect == "anthropic")


def test_no_two_requests_are_equal() -> None:
    requests = Requests(WHOLE, "openai", "bench", "secret")
    first, second = parts(requests.next())[1], parts(requests.next())[1]
    assert first != second


def test_a_paced_script_names_its_pace_and_its_events() -> None:
    script = paced(300, 0.01)
    assert script.stream
    assert list(script.lines) == ["pace 0.01", "repeat 300 MARKedword "]
