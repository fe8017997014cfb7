import pytest

from gateway.console.policies.event_words import sentence

TERMS = {"version": 2, "mode": "enforce", "percent": 25, "on_failure": "closed", "scope": {"teams": ["*"]}}


@pytest.mark.parametrize(
    ("action", "detail", "words"),
    [
        ("policy.created", {}, "made the policy"),
        ("policy.version_created", {"version": 3, "checksum": "a" * 64}, "made version 3 (checksum aaaaaaaaaaaa)"),
        ("policy.activated", TERMS, "put version 2 in force: enforce for 25 % of sessions"),
        (
            "policy.activated",
            {**TERMS, "on_failure": "open", "scope": {"teams": ["a", "b"], "keys": ["*"]}},
            "put version 2 in force: enforce for 25 % of sessions, teams a, b, fails open",
        ),
        ("policy.activated", {}, "put version ? in force: ? for ? % of sessions"),
        ("policy.rolled_back", {"version": 1, "from_version": 2}, "rolled back from version 2 to version 1"),
        ("policy.deactivated", {"version": 1}, "took version 1 out of force"),
        ("policy.of_another_age", {"version": 1}, "policy.of_another_age"),
    ],
)
def test_an_event_is_a_sentence(action: str, detail: dict[str, object], words: str) -> None:
    assert sentence(action, detail) == words
