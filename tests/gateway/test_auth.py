import pytest

from gateway import auth, directory, secrets
from gateway.directory import Client
from gateway.errors import Forbidden, Unauthenticated

ONE, TWO, UNKNOWN = (secrets.new_key() for _ in range(3))
CLIENTS = {
    ONE: Client("one", "", can_call=True, can_read=False, id=1),
    TWO: Client("two", "", can_call=False, can_read=True, id=2),
}


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(secret: str) -> Client | None:
        return CLIENTS.get(secret)

    monkeypatch.setattr(directory, "find_client", find)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": ONE},
        {"authorization": f"Bearer {ONE}"},
        {"authorization": f"bearer  {ONE} "},
        {"authorization": f"Bearer {ONE}", "x-api-key": ONE},
        {"authorization": "Bearer sk-theirs", "x-api-key": ONE},
        {"authorization": f"Bearer {ONE}", "x-api-key": "sk-theirs"},
        {"authorization": "Basic abc", "x-api-key": ONE},
    ],
)
async def test_a_key_is_taken_from_either_header(headers: dict[str, str]) -> None:
    assert (await auth.authenticate(headers)).key == "one"


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "No API key"),
        ({"authorization": "Basic abc"}, "No API key"),
        ({"x-api-key": " ", "authorization": "Bearer"}, "No API key"),
        ({"x-api-key": UNKNOWN}, "not known"),
        ({"x-api-key": "sk-theirs"}, "not known"),
        ({"x-api-key": ONE[:-1]}, "mistyped"),
        ({"authorization": f"Bearer {ONE}", "x-api-key": TWO}, "Two different"),
    ],
)
async def test_what_is_no_key_is_refused_with_a_sentence_that_does_not_quote_it(
    headers: dict[str, str], words: str
) -> None:
    with pytest.raises(Unauthenticated, match=words) as refused:
        await auth.authenticate(headers)
    assert not any(secret in str(refused.value) for secret in (UNKNOWN, ONE[:-1], TWO, "theirs", "abc"))


def test_a_reading_key_calls_no_model() -> None:
    auth.require_call(CLIENTS[ONE])
    with pytest.raises(Forbidden, match="may not call models"):
        auth.require_call(CLIENTS[TWO])


def test_a_calling_key_reads_no_record() -> None:
    auth.require_read(CLIENTS[TWO])
    with pytest.raises(Forbidden, match="--read"):
        auth.require_read(CLIENTS[ONE])
