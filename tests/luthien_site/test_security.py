import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client

from luthien_site.security import CONTENT_SECURITY_POLICY, SecurityHeaders


@pytest.mark.django_db
def test_pages_carry_a_policy_without_inline_code(client: Client) -> None:
    answer = client.get("/admin/login/")
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "img-src 'self' data:" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"


async def test_streams_are_passed_on_in_the_same_task() -> None:
    stream = StreamingHttpResponse(iter(["a"]))

    async def view(request: HttpRequest) -> HttpResponseBase:
        return stream

    answer = SecurityHeaders(view)(HttpRequest())
    assert not isinstance(answer, HttpResponseBase)
    assert await answer is stream
    assert stream["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_an_answer_that_sets_a_header_itself_keeps_it() -> None:
    own = HttpResponse(headers={"Content-Security-Policy": "sandbox"})
    assert SecurityHeaders(lambda request: own)(HttpRequest()) is own
    assert own["Content-Security-Policy"] == "sandbox"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example"])
def test_other_hosts_are_refused(client: Client, host: str) -> None:
    assert client.get("/admin/login/", headers={"host": host}).status_code == 400


async def test_static_files_are_served_from_where_they_lie(async_client: AsyncClient) -> None:
    answer = await async_client.get("/static/admin/css/base.css")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/css")
    assert b"{" in answer.content
    again = await async_client.get("/static/admin/css/base.css", headers={"if-modified-since": answer["Last-Modified"]})
    assert again.status_code == 304


def test_static_files_are_served_synchronously_too(client: Client) -> None:
    assert client.get("/static/admin/css/base.css").status_code == 200
