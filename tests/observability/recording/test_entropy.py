from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from observability.recording.entropy import PAGE, random_bytes


def test_no_bytes_come_twice() -> None:
    drawn = [random_bytes(16) for _ in range(PAGE // 4)]
    assert {len(each) for each in drawn} == {16}
    assert len(set(drawn)) == len(drawn)


def test_a_large_draw_has_its_length() -> None:
    assert [len(random_bytes(size)) for size in (0, 1, PAGE, PAGE + 1)] == [0, 1, PAGE, PAGE + 1]


def test_threads_draw_different_bytes() -> None:
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda _: random_bytes(16), range(1000)))
    assert len(set(drawn)) == len(drawn)


def test_a_forked_process_draws_other_bytes_than_its_parent() -> None:
    random_bytes(1)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, random_bytes(32))
        os._exit(0)
    ours = random_bytes(32)
    os.waitpid(child, 0)
    assert os.read(reading, 32) != ours
    os.close(reading)
    os.close(writing)
