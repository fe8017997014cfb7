"""The list of sessions and the story of one, in a real browser, while the session goes on."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.console.browser import browse, log_in, overflows, violations
from tests.console.conftest import READER
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser
PROMPT = 'say I count.\ntool bash {"command": "wc -l invoices.csv"}'
DELEGATE = 'say I ask.\ntool Task {"prompt": "say I count.\\ntool bash {\\"command\\": \\"wc -l invoices.csv\\"}"}'


class Agent:
    """A client that sends its whole conversation with each call."""

    def __init__(self, site: LiveLuthien, key: str, session: str) -> None:
        self._url = f"{site.url}/v1/messages"
        self._headers = {"x-api-key": key, "x-claude-code-session-id": session, "user-agent": "claude-cli/2"}
        self.talk: list[dict[str, Any]] = []

    def say(self, text: str) -> str:
        """Makes a call, and returns its id. What the tools returned goes before the text."""
        waiting = [block for block in self.talk[-1]["content"] if block["type"] == "tool_use"] if self.talk else []
        results = [{"type": "tool_result", "tool_use_id": each["id"], "content": "4712"} for each in waiting]
        messages = [*self.talk, {"role": "user", "content": [*results, {"type": "text", "text": text}]}]
        body = {"model": "demo/script", "max_tokens": 99, "messages": messages}
        answer = httpx.post(self._url, json=body, headers=self._headers, timeout=30)
        if answer.status_code == 200:
            self.talk = [*messages, {"role": "assistant", "content": answer.json()["content"]}]
        return answer.headers["x-luthien-call-id"]


def test_a_session_is_found_read_walked_and_watched_while_it_goes_on(site: LiveLuthien) -> None:
    key = site.manage("create_key", "teller").strip()
    agent, helper = Agent(site, key, "told"), Agent(site, key, "told")
    first, helped = agent.say(DELEGATE), helper.say(PROMPT)
    failed, second = agent.say("error 529"), agent.say("say Nothing **bold** about it.")

    def visit(page: Page) -> None:
        log_in(page, site.url, *READER)
        page.goto(f"{site.url}/sessions/?key=teller")
        expect(page.locator(".rows tbody tr")).to_have_count(1)
        expect(page.locator(".rows")).to_contain_text("claude-cli")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/sessions/ses_*/")
        subagent = page.locator(f"#under-{first} > .talk.subagent")
        expect(subagent).to_contain_text("begins with the text that the tool call gave")
        expect(page.locator(f"#body-{second}")).to_contain_text("Nothing bold about it.")
        expect(page.locator(f"#body-{second}")).not_to_contain_text("I ask.")
        page.keyboard.press("b")
        expect(page.locator(f"#call-{failed}")).to_be_focused()
        page.keyboard.press("k")
        page.keyboard.press("k")
        expect(page.locator(f"#call-{first}")).to_be_focused()
        page.keyboard.press("e")
        expect(page.locator(f"#body-{helped}")).to_contain_text("wc -l invoices.csv")
        expect(page.locator(".tool-drawing rect")).to_have_count(2)
        assert violations(page) == []
        page.get_by_role("status").get_by_text("Live", exact=True).wait_for()
        third, again = agent.say('say And on.\ntool bash {"command": "ls"}'), helper.say("say Counted.")
        page.locator(f"#call-{third}").scroll_into_view_if_needed()
        expect(page.locator(f"#body-{third}")).to_contain_text("And on.")
        expect(subagent.locator(f"#call-{again}")).to_be_visible()
        expect(page.locator(".tool-drawing rect")).to_have_count(3)
        assert page.locator(f"#call-{first}").count() == 1
        page.set_viewport_size({"width": 390, "height": 800})
        assert overflows(page) == 0

    browse(visit)
