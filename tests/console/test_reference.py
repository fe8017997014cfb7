"""The reference of the API: complete, behind the login, and readable."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver
from playwright.sync_api import Page

from gateway.console.reference import Group, Operation, Parameter, document, groups
from tests.console.browser import PHONE, browse, faults, log_in
from tests.console.conftest import OUTSIDER
from tests.plugins.live import LiveLuthien


def test_every_path_of_the_contract_that_is_served_is_described() -> None:
    described = document()["paths"]
    assert {
        *("/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions", "/v1/models"),
        *("/debug/calls", "/debug/calls/{id}", "/debug/calls/{id}/diff"),
        *("/health", "/ready", "/metrics"),
    } <= set(described)
    assert all(operation["description"] for item in described.values() for operation in item.values())


def test_every_path_that_is_described_is_served() -> None:
    for path in document()["paths"]:
        assert get_resolver().resolve(path.replace("{id}", "call_1")).func is not None


def test_a_parameter_says_what_it_may_be() -> None:
    made = {
        "tags": [{"name": "One", "description": "About it."}],
        "paths": {
            "/a/{id}": {
                "get": {
                    "tags": ["One"],
                    "description": "Reads.",
                    "parameters": [
                        {"in": "path", "name": "id", "required": True, "schema": {"type": "string"}},
                        {"in": "query", "name": "team", "schema": {"type": "string", "default": ""}},
                        {"in": "query", "name": "limit", "schema": {
                            "type": "integer", "default": 50, "minimum": 1, "maximum": 500}},
                        {"in": "query", "name": "changed", "schema": {"type": "boolean", "default": False}},
                    ],
                }
            },
            "/b": {"post": {"tags": ["Two"]}},
        },
    }  # fmt: skip
    (one,) = groups(made)
    assert one == Group(
        "One",
        "About it.",
        [
            Operation(
                "GET",
                "/a/{id}",
                "Reads.",
                [
                    Parameter("id", "path", "string", "required"),
                    Parameter("team", "query", "string", ""),
                    Parameter("limit", "query", "integer", "default 50, 1 to 500"),
                    Parameter("changed", "query", "boolean", "default false"),
                ],
            )
        ],
    )
    assert one.operations[0].id == "get-a-id"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/docs", "/api/openapi.json"])
def test_the_reference_is_for_who_is_logged_in(client: Client, path: str) -> None:
    assert client.get(path)["Location"] == f"/login/?next={path}"
    client.force_login(User.objects.create_user("anybody"))
    answer = client.get(path)
    assert answer.status_code == 200
    assert b"/debug/calls/{id}/diff" in answer.content


@pytest.mark.browser
def test_the_reference_can_be_read_on_a_phone(site: LiveLuthien) -> None:
    def visit(page: Page) -> tuple[list[str], int]:
        log_in(page, site.url, *OUTSIDER)
        page.click("text=All that the API answers")
        page.get_by_text("/debug/calls", exact=True).click()
        assert page.url == f"{site.url}/api/docs#get-debug-calls"
        found = faults(page, "/api/docs", [("light", PHONE), ("dark", PHONE)])
        return found, page.locator("main h3").count()

    found, operations = browse(visit, viewport=PHONE, bypass_csp=True)
    assert found == []
    assert operations >= 10
