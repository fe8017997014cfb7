from policies.content import Request, Text
from policies.verdicts import Decision, Verdict, allow, block, refuse, replace, reroute, respond, retry, stop


def test_each_maker_makes_its_verdict() -> None:
    assert allow() == Verdict("allow")
    assert block("no", score=0.5, evidence={"a": 1}) == Verdict("block", "no", score=0.5, evidence={"a": 1})
    assert stop("no") == Verdict("stop", "no")
    assert respond("hello", "why") == Verdict("respond", "why", text="hello")
    assert refuse(429, "slow", 2.0) == Verdict("refuse", "slow", status=429, retry_after=2.0)
    assert reroute("m", "why") == Verdict("reroute", "why", model="m")
    assert retry("m") == Verdict("retry", model="m")


def test_a_replacement_is_a_request_or_a_tuple_of_blocks() -> None:
    request, text = Request("m"), Text("a")
    assert replace(request).content is request
    assert replace(text).content == (text,)
    assert replace((text, text), "why").content == (text, text)
    assert replace(()).content == ()


def test_a_decision_needs_no_more_than_what_was_decided_by_whom() -> None:
    decision = Decision("p", 1, "enforce", "on_text", "text 0", "allow")
    assert (decision.reason, decision.ms, decision.evidence) == ("", 0.0, None)
