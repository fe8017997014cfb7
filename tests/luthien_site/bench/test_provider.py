import asyncio

import pytest

from gateway.upstreams.demo.provider import reply
from luthien_site.bench.client import Pool
from luthien_site.bench.provider import Burst, Replay, Tape, record
from luthien_site.bench.workload import SHORT_STREAM, WHOLE, Dialect, Requests, paced

ZERO = b"0000000000"


def body_of(request: bytes) -> bytes:
    return request.split(b"\r\n\r\n", 1)[1]


@pytest.mark.parametrize(("dialect", "path"), [("openai", "/chat/completions"), ("anthropic", "/messages")])
def test_an_answer_is_the_demo_providers_but_for_its_number(dialect: Dialect, path: str) -> None:
    body = body_of(Requests(WHOLE, dialect, "demo/script", "none").next())
    bursts, number = Tape().answer(b"/v1" + path.encode(), body)
    played = b"".join(burst.data for burst in bursts).replace(ZERO, number)
    told = b"".join(part for part in reply("POST", path, [], body).parts if isinstance(part, bytes))
    answer = played.split(b"\r\n\r\n", 1)[1]
    assert number in answer
    # The ids are hashes of the request, which are replayed with the rest.
    assert len(answer) == len(told)
    assert answer.split(b"Task ")[1][:200] == told.split(b"Task ")[1][:200]


def test_a_script_is_recorded_once() -> None:
    tape, requests = Tape(), Requests(WHOLE, "openai", "demo/script", "none")
    first, second = (tape.answer(b"/v1/chat/completions", body_of(requests.next())) for _ in range(2))
    assert first[0] is second[0]
    assert first[1] != second[1]


def test_a_pace_is_a_wait_before_each_burst() -> None:
    body = body_of(Requests(paced(5, 0.01), "openai", "demo/script", "none").next())
    waits = [burst.wait for burst in record("/v1/chat/completions", body)]
    assert waits.count(0.01) >= 5


def test_what_is_not_paced_leaves_at_once() -> None:
    body = body_of(Requests(SHORT_STREAM, "openai", "demo/script", "none").next())
    assert [type(burst) for burst in record("/v1/chat/completions", body)] == [Burst]


async def test_it_serves_call_after_call_over_a_socket() -> None:
    tape = Tape()
    server = await asyncio.get_running_loop().create_server(lambda: Replay(tape), "127.0.0.1", 0)
    pool = Pool(server.sockets[0].getsockname()[1])
    requests = Requests(SHORT_STREAM, "openai", "demo/script", "none")
    try:
        replies = [await pool.call(requests.next()) for _ in range(3)]
    finally:
        pool.close()
        server.close()
    assert [len(each.marks) for each in replies] == [20, 20, 20]
    assert len({bytes(each.body) for each in replies}) == 3
