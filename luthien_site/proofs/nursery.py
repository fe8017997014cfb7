"""Gateways that start in a moment: forked from a process that has imported everything and done nothing.

A proof that kills a gateway hundreds of times would otherwise spend its time on imports. `python -m
luthien_site.proofs.nursery` is the process; a line on its standard input is a command, a line on its output the answer.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress

from luthien_site.bench.gateway import ROOT, SERVER, Gateway
from luthien_site.bench.processes import DidNotStart, die_with_parent


class ForkedGateway(Gateway):
    """A gateway that can crash and start again, time after time, on the same port and data."""

    _nursery: asyncio.subprocess.Process | None = None
    _pid = 0

    async def start(self) -> None:
        """Returns when it serves. Raises DidNotStart."""
        if self._nursery is None:
            with self.log.open("ab") as log:
                self._nursery = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "luthien_site.proofs.nursery"),
                    cwd=ROOT,
                    env={**self.setting.env, "LUTHIEN_URL": f"http://127.0.0.1:{self.port}"},
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                )
        self._pid = int(await self._order(f"start {self.port}"))
        await self.ready("/ready")

    async def crash(self) -> None:
        """SIGKILL; returns when the process is gone."""
        await self._order("kill")
        self._pid = 0

    async def leave(self) -> None:
        """SIGTERM; returns when it has ended in good order."""
        await self._order("leave")
        self._pid = 0

    async def close(self) -> None:
        """Ends the gateway and the process that it came from."""
        if self._nursery is not None and self._nursery.stdin is not None:
            self._nursery.stdin.close()
            await self._nursery.wait()

    @property
    def alive(self) -> bool:
        return self._pid != 0

    @property
    def pid(self) -> int:
        return self._pid

    async def _order(self, line: str) -> str:
        nursery = self._nursery
        assert nursery is not None
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        nursery.stdin.write(line.encode() + b"\n")
        answer = (await nursery.stdout.readline()).decode().strip()
        if not answer:
            raise DidNotStart(f"{self.name} did not start; see {self.log}.")
        return answer


def main() -> None:
    """Serves the orders on standard input until it is closed, which also happens when whoever gave them dies."""
    import luthien_site.asgi  # noqa: F401 (what every gateway will need)

    child = 0
    for line in sys.stdin:
        order, *arguments = line.split()
        if order == "start":
            child = os.fork() or serve(int(arguments[0]))
            print(child, flush=True)  # noqa: T201 (the answer)
        else:
            end(child, signal.SIGTERM if order == "leave" else signal.SIGKILL)
            child = 0
            print("dead", flush=True)  # noqa: T201
    end(child, signal.SIGKILL)


def serve(port: int) -> int:
    """Becomes a gateway; never returns."""
    import uvicorn

    die_with_parent()
    # The pipes carry orders, which are none of its business.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    uvicorn.run("luthien_site.asgi:application", host="127.0.0.1", port=port, **SERVER)
    os._exit(0)


def end(child: int, number: signal.Signals) -> None:
    """Sends it the signal and reaps it: a zombie still looks alive to whoever searches for dead owners."""
    if child:
        with suppress(ProcessLookupError):
            os.kill(child, number)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
