from observability.calls.attribution import attributed
from observability.calls.conversation import cards
from observability.calls.deeds import VERBS, deeds
from observability.diffs.blocks import Side
from observability.presentation import ACTIONS
from tests.observability.calls.recorded import Verdict, text, tool_call


def test_what_policies_did_is_told_with_the_enforced_first() -> None:
    original = [text("hi"), tool_call("a")]
    verdicts = [
        Verdict("text 0", "block", mode="shadow", position=0),
        Verdict("text 0", "allow", position=1),
        Verdict("request", "replace", hook="on_request", position=2),
        Verdict("answer", "stop", hook="on_answer", position=4),
        Verdict("tool_call a", "block", position=3),
    ]
    found = attributed(original, verdicts)
    made = deeds(found, cards(Side(changed=False, original=original, final=original), found.blocks))
    assert [(each.verb, each.what, each.name, each.anchor) for each in made] == [
        ("changed", "the request", "", "request-verdicts"),
        ("blocked", "the tool call", "Bash", "response-1"),
        ("stopped", "the answer", "", "verdicts"),
        ("would have blocked", "a text", "", "response-0"),
    ]


def test_every_action_is_a_deed_or_lets_things_pass() -> None:
    assert set(ACTIONS) - set(VERBS) == {"allow", "asked", "not_reached"}
