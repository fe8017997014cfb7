import pytest
from django.test import Client

from observability import queries, shapes
from observability.models import CallRecord
from tests.console import seed
from tests.people import browser_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(transactional_db: None) -> str:
    seed.fill(seed.whispered)
    return seed.WHISPERED


def test_a_hidden_call_keeps_what_happened_and_none_of_the_words(call: str) -> None:
    record = queries.call(call, bodies=False)
    assert record is not None
    told = str(shapes.detail(record)) + str(queries.diff(record))
    assert seed.WHISPER not in told
    assert seed.WHISPER in str(shapes.detail(CallRecord.objects.get(pk=call)))
    (verdict,) = shapes.detail(record)["verdicts"]
    assert (verdict["action"], verdict["reason"], verdict["evidence"]) == ("block", "(redacted)", None)
    assert [note["kind"] for note in record.notes] == ["words"]
    assert shapes.detail(record)["bodies_hidden"]


def test_text_is_not_searched_by_who_may_not_read_it(call: str) -> None:
    reader = browser_of("reader", "view_callrecord")
    for path in ("/calls/", "/debug/calls"):
        assert reader.get(path, {"q": seed.WHISPER}).status_code == 400
        assert reader.get(path, {"q": "team:payments"}).status_code == 200


def test_the_diff_of_a_hidden_call_is_refused_as_json_and_the_call_is_not(call: str) -> None:
    reader = browser_of("reader", "view_callrecord")
    assert reader.get(f"/debug/calls/{call}").json()["bodies_hidden"]
    refused = reader.get(f"/debug/calls/{call}/diff")
    assert (refused.status_code, refused.json()["error"]["message"]) == (403, "Bodies are hidden from your role.")


def test_a_hidden_call_is_not_replayed(client: Client, call: str) -> None:
    author = browser_of("author", "view_policy", "add_policyversion", "view_callrecord")
    answer = author.post("/policies/playground/", {"call": call, "policy_class": "uppercase"})
    assert "Bodies are hidden from your role." in answer.content.decode()
