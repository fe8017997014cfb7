import os
from pathlib import Path

import pytest

from luthien_site.bench.gateway import Setting
from luthien_site.bench.processes import status_of
from luthien_site.proofs.nursery import ForkedGateway


async def test_a_forked_gateway_crashes_and_starts_again_as_another_process(tmp_path: Path) -> None:
    gateway = ForkedGateway("the gateway", Setting(tmp_path / "data", 9))
    await gateway.prepare()
    try:
        await gateway.start()
        first = gateway.pid
        await gateway.crash()
        assert not gateway.alive
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)
        assert await status_of(gateway.port, "/ready") == 0
        await gateway.start()
        assert gateway.pid != first
        assert await status_of(gateway.port, "/ready") == 200
    finally:
        await gateway.close()
    assert await status_of(gateway.port, "/ready") == 0
