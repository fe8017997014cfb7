import json

import pytest

from luthien_site.bench.session import TURN, bodies
from luthien_site.bench.workload import Dialect


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_each_request_repeats_the_conversation_and_goes_on(dialect: Dialect) -> None:
    made = list(bodies(dialect, "bench", 100))
    assert len(made) == 100
    assert 150_000 < len(made[0]) < len(made[-1]) < 300_000
    assert 190_000 < sum(map(len, made)) / 100 < 240_000
    first, second = (json.loads(body)["messages"] for body in made[:2])
    assert second[: len(first) - 1] == first[:-1]
    assert first[-1]["content"].startswith("say Turn 0\n")
    added = sum(len(message["content"]) for message in second[len(first) - 1 : -1])
    assert added == TURN
    texts = [message["content"] for message in json.loads(made[-1])["messages"]]
    assert len(set(texts)) == len(texts), "a conversation that repeats itself would flatter"
