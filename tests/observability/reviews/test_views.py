from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from observability.models import Review
from observability.reviews import labelling
from observability.reviews.models import Label
from tests.observability.reviews.conftest import put
from tests.people import READS_CALLS, browser_of

pytestmark = pytest.mark.django_db


def post(client: Client, call: str, position: object, label: str, **fields: str) -> Any:
    headers = {"HX-Request": "true"} if fields.pop("htmx", "") else {}
    values = {"call": call, "position": str(position), "label": label, **fields}
    return client.post("/review/label/", values, headers=headers)


def test_who_may_only_read_sees_what_waits_and_labels_nothing() -> None:
    call = put(1, "a block")
    client = browser_of("reader", *READS_CALLS)
    html = client.get("/review/").content.decode()
    assert "a said so" in html and "label-form" not in html
    assert post(client, call.pk, 0, "fine").status_code == 403
    client.logout()
    assert client.get("/review/")["Location"].startswith("/login/")
    assert post(client, call.pk, 0, "fine").status_code == 302
    assert not Review.objects.exists()


def test_who_is_limited_to_a_team_labels_no_other_ones_calls(reviewer: Client) -> None:
    call = put(1, "a block", team="research")
    User.objects.get(username="rita").groups.add(Group.objects.create(name="team:payments"))
    assert "All reviewed" in reviewer.get("/review/").content.decode()
    assert post(reviewer, call.pk, 0, "fine").status_code == 404


def test_who_may_not_see_what_was_said_sees_no_reasons_and_no_comments(reviewer: Client) -> None:
    call = put(1, "a block", "b block")
    labelling.label(call, 0, Label.FINE, by="ben", comment="a quotation")
    User.objects.get(username="rita").user_permissions.remove(Permission.objects.get(codename="view_body"))
    html = reviewer.get("/review/").content.decode() + reviewer.get(f"/calls/{call.pk}/").content.decode()
    html += post(reviewer, call.pk, 0, "missed", comment="", htmx="yes").content.decode()
    assert "said so" not in html and "a quotation" not in html and ">Comment<" not in html
    assert Review.objects.get(position=0).comment == "a quotation"
    assert reviewer.get("/review/", {"q": "ledger"}).status_code == 400


def test_a_label_is_stored_and_its_row_comes_back_as_it_is_now(reviewer: Client) -> None:
    call = put(1, "a block")
    html = post(reviewer, call.pk, 0, "false_alarm", comment="<b>", htmx="yes").content.decode()
    assert "review-item" in html and "done" in html and "&lt;b&gt;" in html and "Take back" in html
    assert html.count('aria-pressed="true"') == 1
    html = post(reviewer, call.pk, 0, "", htmx="yes").content.decode()
    assert "Take back" not in html
    assert not Review.objects.exists()


def test_without_scripts_one_is_led_back_to_where_one_was_and_nowhere_else(reviewer: Client) -> None:
    call = put(1, "a block")
    assert post(reviewer, call.pk, 0, "fine", next="/review/?show=changed")["Location"] == "/review/?show=changed"
    assert post(reviewer, call.pk, 0, "", next="//elsewhere.example/")["Location"] == "/review/"


@pytest.mark.parametrize("shown_in", [{}, {"panel": "1"}], ids=["list", "panel"])
def test_what_comes_back_leads_where_the_first_form_led(shown_in: dict[str, str], reviewer: Client) -> None:
    call = put(1, "a block")
    html = post(reviewer, call.pk, 0, "fine", next="/review/?show=changed", htmx="yes", **shown_in).content.decode()
    assert html.count('name="next" value="/review/?show=changed"') == html.count("<form") > 0


@pytest.mark.parametrize(
    ("position", "label"), [("0", "reported"), ("0", "rubbish"), ("7", "fine"), ("-2", "fine"), ("x", "fine"), ("", "")]
)
def test_what_cannot_be_meant_is_not_found(reviewer: Client, position: str, label: str) -> None:
    call = put(1, "a block")
    assert post(reviewer, call.pk, position, label).status_code == 404
    assert post(reviewer, "call_\0", 0, "fine").status_code == 404


def test_the_page_of_a_call_has_a_panel_that_is_answered_with_itself(reviewer: Client) -> None:
    call = put(1, "a block", "b allow")
    labelling.report(call)
    html = reviewer.get(f"/calls/{call.pk}/").content.decode()
    assert "review-panel" in html and "its client says that this was wrong" in html
    assert f'name="next" value="/calls/{call.pk}/"' in html
    html = post(reviewer, call.pk, -1, "missed", panel="1", htmx="yes").content.decode()
    assert html.strip().startswith("<section") and ">missed<" in html
    assert Review.objects.get(position=-1).label == Label.MISSED


def test_the_list_says_what_a_filter_means_that_it_cannot_read_and_when_nothing_waits(reviewer: Client) -> None:
    put(1, "a allow")
    answer = reviewer.get("/review/", {"q": "polcy:a"})
    assert answer.status_code == 400 and "Did you mean policy:?" in answer.content.decode()
    for query, words in (
        ({}, "All reviewed"), ({"show": "reported"}, "No report waits"),
        ({"q": "policy:b", "show": "nothing"}, "Nothing that matches waits"),
    ):  # fmt: skip
        assert words in reviewer.get("/review/", query).content.decode()


def test_a_page_takes_the_same_queries_however_much_waits(
    reviewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        put(number, "a block", "b block")
    with django_assert_max_num_queries(16):
        html = reviewer.get("/review/").content.decode()
    assert html.count("review-item") >= 50 and 'rel="next"' in html
