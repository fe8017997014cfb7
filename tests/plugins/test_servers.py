"""A port that a test gets is nobody else's, from when it is given on."""

import os
import socket

from tests.plugins import forked
from tests.plugins.servers import BLOCK, PORTS, free_port

GIVEN = f"from tests.plugins.servers import free_port; print([free_port() for _ in range({BLOCK + 1})])"


def test_no_port_is_given_twice_here_or_in_another_process() -> None:
    here = [free_port() for _ in range(BLOCK + 1)]
    there = [int(port) for port in forked.run("-c", GIVEN, env={}).stdout.strip("[]\n").split(",")]
    assert len({*here, *there}) == 2 * (BLOCK + 1)
    assert {*here, *there} <= {*PORTS}


def test_a_port_on_which_somebody_listens_is_passed_over() -> None:
    taken = free_port() + 1
    with socket.create_server(("127.0.0.1", taken)):
        assert free_port() != taken


def test_a_process_that_forks_has_other_ports_than_the_one_that_it_forked() -> None:
    free_port()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(writer, str(free_port()).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(reader, 16)) != free_port()
    for end in (reader, writer):
        os.close(end)
