import pytest

from luthien_site.bench import variants
from luthien_site.bench.client import CallFailed
from luthien_site.bench.measure import Target
from luthien_site.bench.processes import DidNotStart
from luthien_site.bench.report import DIRECT, LUTHIEN, NO_POLICY, PEER
from luthien_site.bench.variants import THROUGH, Way, suited, warm_up

TARGETS = [Target(name, 1, "openai", "m", "k", b"") for name in (DIRECT, LUTHIEN, THROUGH, PEER)]


@pytest.mark.parametrize(
    ("way", "taking_part"),
    [
        ("", [(DIRECT, "openai"), (LUTHIEN, "openai"), (PEER, "openai")]),
        ("responses", [(DIRECT, "responses"), (LUTHIEN, "responses"), (PEER, "responses")]),
        ("cross", [(DIRECT, "openai"), (LUTHIEN, "anthropic"), (PEER, "anthropic")]),
        ("litellm", [(DIRECT, "openai"), (LUTHIEN, "openai"), (PEER, "openai")]),
    ],
)
def test_each_way_has_its_servers_and_its_dialect(way: Way, taking_part: list[tuple[str, str]]) -> None:
    assert [(target.name, target.dialect) for target in suited(way, TARGETS)] == taking_part


async def test_a_gateway_that_stays_cold_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cold:
        def __init__(self, port: int) -> None: ...

        async def call(self, request: bytes) -> None:
            raise CallFailed("answered 503: warming up")

        def close(self) -> None: ...

    monkeypatch.setattr(variants, "Pool", Cold)
    monkeypatch.setattr(variants, "WARM_SECONDS", -1.0)
    with pytest.raises(DidNotStart, match="did not warm up: answered 503"):
        await warm_up(TARGETS[2])


def test_what_policies_cost_is_measured_on_gateways_that_differ_in_nothing_else() -> None:
    targets = [Target(name, 1, "openai", "m", "k", b"") for name in (DIRECT, LUTHIEN, NO_POLICY, THROUGH, "3 policies")]
    assert [target.name for target in suited("policies", targets)] == ["1 policy", NO_POLICY, "3 policies"]
    assert "3 policies" not in [target.name for target in suited("", targets)]


def test_what_needs_no_server_is_measured_once() -> None:
    assert [target.name for target in suited("in process", TARGETS)] == ["in process"]


def test_ways_to_record_are_measured_on_gateways_without_a_policy() -> None:
    targets = [Target(name, 1, "openai", "m", "k", b"") for name in (DIRECT, LUTHIEN, NO_POLICY, "async", "off")]
    assert [target.name for target in suited("record", targets)] == [DIRECT, "blocking", "async", "off"]
    assert [target.name for target in suited("session", targets)] == [NO_POLICY]
    assert "off" not in [target.name for target in suited("", targets)]
