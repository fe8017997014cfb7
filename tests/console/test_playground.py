"""The playground: who may use it, what it shows, and what it leaves behind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from gateway.console.playground.showing import told
from observability.models import AuditEvent, CallRecord
from policies import services
from policies.active import Scope
from policies.events import Aside, BlockDelta, BlockEnd, BlockStart, End, Failure, Start
from policies.models import Terms
from tests.console import seed
from tests.console.browser import browse, faults, log_in
from tests.console.conftest import ADMIN
from tests.console.harm import harm
from tests.console.hostile import PAYLOADS
from tests.people import READS_CALLS, browser_of
from tests.plugins.live import LiveLuthien
from tests.streams import recordings

URL = "/policies/playground/"
ASKED = json.dumps({"model": "m", "max_tokens": 9, "system": "s", "messages": [{"role": "user", "content": "hello"}]})
SAID = json.dumps(seed.answer(seed.text("hello there")))
UPPERCASE = {"policy_class": "uppercase", "config-json": "{}"}
BLOCKS = {"policy_class": "tool_filter", "config-json": '{"deny": ["*"]}'}

AUTHORS = ("view_policy", "add_policyversion")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def author(transactional_db: None) -> Client:
    return browser_of("author", *AUTHORS, *READS_CALLS)


def run(client: Client, wanted: int = 200, /, **fields: Any) -> str:
    answer = client.post(URL, fields)
    assert answer.status_code == wanted, answer.content.decode()
    return " ".join(answer.content.decode().split())


def test_only_authors_of_policies_may_play(client: Client) -> None:
    assert client.get(URL)["Location"].startswith("/login/")
    assert browser_of("reader", "view_callrecord").get(URL).status_code == 403
    assert browser_of("author", *AUTHORS).get(URL).status_code == 200


def test_a_draft_over_a_pasted_call_shows_before_and_after(author: Client) -> None:
    page = run(author, request=ASKED, answer=SAID, **UPPERCASE)
    assert "What <span" in page and "draft of uppercase" in page
    assert "hello there" in page and "HELLO THERE" in page
    assert '<span class="badge tone-changed">rewritten</span>' in page
    assert not CallRecord.objects.exists()
    assert not AuditEvent.objects.filter(action="call.replayed").exists()


def test_a_pasted_stream_is_shown_event_by_event(author: Client) -> None:
    stream = dict(recordings("anthropic"))["tool_use"].decode()
    page = run(author, request=ASKED, answer=stream.replace("\n", "\r\n"), **BLOCKS)
    assert "this tool is not allowed" in page
    assert '<span class="soft">held</span>' in page
    assert "tool call begins" in page


def test_a_stored_version_runs_over_a_recorded_call_and_the_audit_knows(author: Client) -> None:
    seed.fill(seed.ordinary)
    version = services.create_version(
        services.create_policy("no-tools", actor="ada"), "tool_filter", {"deny": ["Bash"]}, actor="ada"
    )
    before = CallRecord.objects.count()
    page = run(author, call=seed.BLOCKED, version=version.pk)
    assert "no-tools@1" in page and '<span class="badge tone-blocked">blocked</span>' in page
    (event,) = AuditEvent.objects.filter(action="call.replayed")
    assert (event.actor, event.subject, event.detail) == ("author", seed.BLOCKED, {"policy": "no-tools@1"})
    assert CallRecord.objects.count() == before


def test_a_member_of_a_team_plays_with_its_calls_alone() -> None:
    seed.fill(seed.ordinary)
    member = browser_of("member", *AUTHORS, *READS_CALLS, groups=["team:research"])
    assert "allowed" in run(member, call=seed.PLAIN, **BLOCKS)
    assert "There is no such call, or it is not yours to see." in run(member, 422, call=seed.BLOCKED, **BLOCKS)
    assert seed.BLOCKED not in member.get(URL).content.decode()


def test_who_may_see_no_calls_can_still_paste_one() -> None:
    seed.fill(seed.ordinary)
    writer = browser_of("writer", *AUTHORS)
    assert "not yours to see" in run(writer, 422, call=seed.PLAIN, **BLOCKS)
    assert "HELLO THERE" in run(writer, request=ASKED, answer=SAID, **UPPERCASE)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"request": ASKED}, "Choose a stored version, or the class of a draft."),
        ({**UPPERCASE}, "Paste a request, or name a recorded call."),
        ({**UPPERCASE, "config-json": "{", "request": ASKED}, "This is not JSON: "),
        ({**UPPERCASE, "config-json": "[]", "request": ASKED}, "A config is an object: {...}"),
        (
            {**UPPERCASE, "config-json": '{"no": 1}', "request": ASKED},
            "<code>no</code>: Extra inputs are not",
        ),
        ({**UPPERCASE, "request": "hello"}, "The request is not JSON: line 1, column 1."),
        ({**UPPERCASE, "request": ASKED, "answer": "{}x"}, "The answer is not JSON: line 1, column 3."),
        ({**UPPERCASE, "call": "call_nowhere"}, "There is no such call"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(author: Client, fields: dict[str, str], problem: str) -> None:
    page = run(author, 422, **fields)
    assert problem in page
    assert "Nothing was run." in page


def test_an_answer_that_makes_no_sense_is_told_as_its_client_would_hear(author: Client) -> None:
    assert "upstream error" in run(author, request=ASKED, answer='{"type": "message"}', **UPPERCASE)


def test_together_with_what_is_in_force_its_own_policy_gives_way() -> None:
    author = browser_of("author", *AUTHORS)
    loud = services.create_policy("loud", actor="ada")
    first = services.create_version(loud, "uppercase", {}, actor="ada")
    services.activate(first, Terms(scope=Scope(teams=("nobody",))), actor="ada")
    other = services.create_version(services.create_policy("e", actor="ada"), "noop", {}, actor="ada")
    services.activate(
        services.create_version(
            other.policy, "string_replacement", {"rules": [{"find": "hello", "replace": "bye"}]}, actor="ada"
        ),
        actor="ada",
    )
    assert "BYE THERE" in run(author, request=ASKED, answer=SAID, version=first.pk, together="on")
    assert "HELLO THERE" in run(author, request=ASKED, answer=SAID, version=first.pk)
    draft = {"policy_class": "noop", "config-json": "{}", "policy": other.policy.pk, "together": "on"}
    assert "draft of e" in (page := run(author, request=ASKED, answer=SAID, **draft))
    assert "bye there" not in page


def test_the_settings_of_a_class_or_a_version_stand_ready_to_be_filled_in(author: Client) -> None:
    page = author.get(f"{URL}settings/?policy_class=tool_filter").content.decode()
    assert 'name="config.deny"' in page and 'name="settings_of" value="/tool_filter"' in page
    assert author.get(f"{URL}settings/?policy_class=nothing").status_code == 200
    version = services.create_version(
        services.create_policy("n", actor="ada"), "uppercase_nth_word", {"n": 7}, actor="ada"
    )
    page = author.get(f"{URL}?version={version.pk}").content.decode()
    assert 'name="config.n" value="7"' in page
    both = f"{URL}settings/?version={version.pk}&policy_class=tool_filter"
    assert 'name="config.n"' in author.get(both).content.decode()
    chosen = author.get(both, headers={"hx-trigger-name": "policy_class"}).content.decode()
    assert 'name="config.deny"' in chosen and 'name="settings_of" value="/tool_filter"' in chosen


def test_a_stored_version_that_is_changed_is_a_draft_of_its_policy(author: Client) -> None:
    policy = services.create_policy("n", actor="ada")
    version = services.create_version(policy, "uppercase_nth_word", {"n": 2}, actor="ada")
    shown = {"request": ASKED, "answer": SAID, "version": version.pk, "settings_of": f"{version.pk}/uppercase_nth_word"}
    assert "n@1" in (page := run(author, **shown, **{"config.n": "2"})) and "hello THERE" in page
    assert "draft of n" in (page := run(author, **shown, **{"config.n": "1"})) and "HELLO THERE" in page
    stale = {**shown, "settings_of": "/uppercase_nth_word"}
    assert "n@1" in run(author, **stale, **{"config.n": "1"})


def test_buttons_of_the_form_run_nothing_and_lose_nothing(author: Client) -> None:
    draft = {"policy_class": "string_replacement", "settings_of": "/string_replacement", "request": "half a requ"}
    page = run(author, edit="add:config.rules", **draft)
    assert 'name="config.rules.0.find"' in page and "half a requ" in page and "result-title" not in page
    assert "Nothing was run." not in page
    assert 'name="config-json"' in run(author, edit="json", **draft)
    picked = run(author, pick="call_7", **draft)
    assert 'name="call" value="call_7"' in picked and "half a requ" in picked
    assert "field-config-allow" in run(author, policy_class="model_access", edit="policy", settings_of="/noop")


def test_settings_that_must_be_made_are_asked_for(author: Client) -> None:
    page = run(author, 422, policy_class="remote", request=ASKED, answer=SAID)
    assert "The settings cannot be used as they are." in page
    assert 'name="config.url"' in page and "errorlist" in page


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Start("", "m"), ("start", "m")),
        (BlockStart("tool_call", name="bash"), ("tool call begins", "bash")),
        (BlockDelta("a" * 500), ("delta", "a" * 400 + "…")),
        (BlockEnd(), ("block ends", "")),
        (End("end_turn"), ("end", "end_turn")),
        (Failure("overloaded", "later"), ("failure", "overloaded: later")),
        (Aside(), ("aside", "")),
    ],
)
def test_every_event_is_told_in_words(event: Any, words: tuple[str, str]) -> None:
    said = told(event)
    assert (said.kind, said.text) == words


@pytest.mark.browser
def test_a_recorded_call_is_played_from_its_page(site: LiveLuthien) -> None:
    site.manage("shell", "-v", "0", "-c", "from tests.console import seed; seed.fill(seed.ordinary)")

    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        page.goto(f"{site.url}/calls/{seed.BLOCKED}/")
        page.click("text=Try a policy on it")
        page.select_option("#id_policy_class", "tool_filter")
        page.get_by_label("Deny").fill("Bash")
        page.get_by_role("button", name="Run").click()
        assert page.text_content("#result .badge") == "blocked"
        assert "this tool is not allowed" in (page.text_content("#answer") or "")
        page.click("text=1 step: what came")
        assert page.locator(".events tbody tr").count() == 1

    browse(visit)


@pytest.mark.browser
def test_the_playground_has_no_serious_fault_of_access_and_fits_a_phone(site: LiveLuthien) -> None:
    def visit(page: Page) -> list[str]:
        log_in(page, site.url, *ADMIN)
        page.goto(site.url + URL)
        page.select_option("#id_policy_class", "uppercase")
        page.fill("#id_request", ASKED)
        page.fill("#id_answer", SAID)
        page.locator("#config").wait_for()
        page.get_by_role("button", name="Run").click()
        assert page.text_content("#result .badge") == "rewritten"
        return faults(page, URL)

    assert browse(visit, bypass_csp=True) == []


@pytest.mark.browser
def test_hostile_text_is_shown_as_text(site: LiveLuthien) -> None:
    def visit(page: Page) -> list[str]:
        log_in(page, site.url, *ADMIN)
        found = []
        for words in PAYLOADS[::20]:
            page.goto(site.url + URL)
            page.select_option("#id_policy_class", "uppercase")
            page.evaluate(
                "([a, b]) => { id_request.value = a; id_answer.value = b }",
                [ASKED, json.dumps(seed.answer(seed.text(words), seed.tool_use(words)))],
            )
            with page.expect_navigation():
                page.get_by_role("button", name="Run").click()
            page.wait_for_selector("#result")
            found += [f"{words[:60]!r} {fault}" for fault in harm(page, words, URL)]
        return found

    assert browse(visit) == []
