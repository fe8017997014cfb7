import os
import sys
from pathlib import Path

import pytest

from luthien_site.bench.processes import Child, DidNotStart, cores, family, free_port, on_core, status_of

SERVES = """
import sys, subprocess, http.server
child = subprocess.Popen([sys.executable, "-c", "print(sum(range(10_000_000))); input()"], stdin=subprocess.PIPE)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def child(tmp_path: Path) -> Child:
    return Child("the server", tmp_path / "log")


async def test_a_childs_processor_time_and_memory_count_its_descendants(child: Child, tmp_path: Path) -> None:
    child.spawn([sys.executable, "-c", SERVES, str(child.port)], os.environ, tmp_path)
    try:
        await child.ready("/")
        assert child.alive
        pids = family(child.pid)
        assert len(pids) == 2
        assert child.cpu() > 0
        assert child.memory() > 1_000_000
    finally:
        child.stop()
    assert not child.alive
    assert await status_of(child.port, "/") == 0


async def test_a_child_that_ends_at_once_is_reported_with_its_last_words(child: Child, tmp_path: Path) -> None:
    child.spawn([sys.executable, "-c", "raise SystemExit('no such thing')"], os.environ, tmp_path)
    with pytest.raises(DidNotStart, match="no such thing"):
        await child.ready("/")


def test_a_child_may_have_a_core_of_its_own(tmp_path: Path) -> None:
    core = max(os.sched_getaffinity(0))
    child = Child("the server", tmp_path / "log", core)
    child.spawn([sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"], os.environ, tmp_path)
    assert child._process is not None
    child._process.wait()
    assert child.log.read_text() == f"{{{core}}}\n"


def test_binding_to_a_core_ends_with_its_block() -> None:
    before = os.sched_getaffinity(0)
    with on_core(min(before)):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before


def test_the_gateway_gets_a_core_of_its_own_where_there_are_two() -> None:
    load, gateway = cores()
    assert load in os.sched_getaffinity(0)
    assert gateway != load
    with on_core(load):
        assert cores() == (load, None)


def test_who_is_gone_took_no_time() -> None:
    assert free_port() != 0
    assert family(2**22 + 1) == [2**22 + 1]
