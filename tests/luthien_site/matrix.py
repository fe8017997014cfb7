"""Who may do what: a row for each page and each method of it, a column for each role.

The marks: `L` is asked to log in, `-` is told that it is not allowed, `0` that there is nothing of that name, `+` may.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from gateway.why import link

ROLES = (
    "nobody who is logged in",
    "somebody in no group",
    "a member of the team payments",
    "a member of the team research",
    "a reviewer",
    "an auditor",
    "a policy author",
    "an admin",
    "a superuser",
    "an admin of the team research",
)


class Row(NamedTuple):
    """`path` is an address of the route `route`; what it names belongs to the team payments, where it has a team."""

    route: str
    marks: str
    path: str = ""
    method: str = "GET"
    data: dict[str, str] = {}


ANYBODY = "+ + + + + + + + + +"
NOWHERE = "0 0 0 0 0 0 0 0 0 0"
LOGGED_IN = "L + + + + + + + + +"
CALLS = "L - + + + - + + + +"
A_CALL = "L - + 0 + - + + + 0"
POLICIES = "L - - - + + + + + +"
AUTHORS = "L - - - - - + + + +"
REPORTS = "L - - - + + - + + +"
A_REPORT = "L - - - 0 0 - + + 0"
REVIEWERS = "L - - - + - - + + +"
ADMINS = "L - - - - - - + + +"
A_TEST = "L - - - - - + + + 0"
SEEN_BY_REVIEWERS = "L - - - + - - + + 0"
OF_ADMINS = "L - - - - - - + + 0"

CALL = "calls/call_1/"
GUARD = "policies/guard/"
SESSION = "sessions/session-1/"
WHY = urlsplit(link("call_1")).path[1:]
TEST = "policies/backtests/1000/"

PAGES = (
    Row("", LOGGED_IN),
    Row("login/", ANYBODY),
    Row("api/hello", ANYBODY),
    Row("health", ANYBODY),
    Row("metrics", ANYBODY),
    Row("api/docs", LOGGED_IN),
    Row("api/openapi.json", LOGGED_IN),
    Row("debug/openapi.json", ANYBODY),
    Row("debug/calls", CALLS),
    Row("debug/calls/<id>", A_CALL, "debug/calls/call_1"),
    Row("debug/calls/<id>/diff", A_CALL, "debug/calls/call_1/diff"),
    Row("debug/diff", CALLS),
    Row("debug/diff", A_CALL, "debug/diff?call=call_1"),
    Row("calls/", CALLS),
    Row("calls/suggestions/", CALLS),
    Row("calls/<str:id>/", A_CALL, CALL),
    Row("calls/<str:id>/diff/", A_CALL, f"{CALL}diff/"),
    Row("calls/<str:id>/cards/<int:first>-<int:last>/", A_CALL, f"{CALL}cards/0-9/"),
    Row("calls/<str:id>/block/<slug:part>/<slug:side>/<int:place>/", A_CALL, f"{CALL}block/request/original/0/"),
    Row("calls/<str:id>/image/<slug:side>/<int:place>/", A_CALL, f"{CALL}image/original/0/"),
    Row("calls/<str:id>/image/<slug:side>/<int:place>/<int:number>/", A_CALL, f"{CALL}image/original/0/0/"),
    Row("calls/<str:id>/body/<slug:payload>/", A_CALL, f"{CALL}body/request_original/"),
    Row("calls/<str:id>/body/<slug:payload>/preview/", A_CALL, f"{CALL}body/request_original/preview/"),
    Row("sessions/", CALLS),
    Row("sessions/<str:name>/", A_CALL, SESSION),
    Row("sessions/<str:name>/changes/", A_CALL, f"{SESSION}changes/"),
    Row("sessions/<str:name>/bodies/", A_CALL, f"{SESSION}bodies/?call=0.call_1"),
    Row("sessions/<str:name>/export.jsonl", A_CALL, f"{SESSION}export.jsonl"),
    Row("why/<str:id>/<str:proof>/", ANYBODY, WHY),
    Row("why/<str:id>/<str:proof>/", NOWHERE, "why/call_1/guessed/"),
    Row("why/<str:id>/<str:proof>/wrong/", ANYBODY, f"{WHY}wrong/", "POST"),
    Row("why/<str:id>/<str:proof>/wrong/", NOWHERE, "why/call_1/guessed/wrong/", "POST"),
    Row("review/", CALLS),
    Row("review/label/", SEEN_BY_REVIEWERS, method="POST", data={"call": "call_1", "position": "-1", "label": "fine"}),
    Row("activity/monitor", CALLS),
    Row("activity/stream", CALLS),
    Row("activity/stop/<str:id>/", OF_ADMINS, "activity/stop/call_1/"),
    Row("activity/stop/<str:id>/now/", OF_ADMINS, "activity/stop/call_1/now/", "POST", {"kind": "key"}),
    Row("activity/lift/<int:pk>/", OF_ADMINS, "activity/lift/1000/", "POST"),
    Row("policies/", POLICIES),
    Row("policies/catalogue/", POLICIES),
    Row("policies/new/", AUTHORS, "policies/new/?class=uppercase"),
    Row("policies/new/", AUTHORS, "policies/new/?class=uppercase", "POST"),
    Row("policies/<policy:name>/", POLICIES, GUARD),
    Row("policies/<policy:name>/history/", POLICIES, f"{GUARD}history/"),
    Row("policies/<policy:name>/diff/", POLICIES, f"{GUARD}diff/?from=1&to=1"),
    Row("policies/<policy:name>/versions/<int:number>/", POLICIES, f"{GUARD}versions/1/"),
    Row("policies/<policy:name>/versions/new/", AUTHORS, f"{GUARD}versions/new/"),
    Row("policies/<policy:name>/versions/new/", AUTHORS, f"{GUARD}versions/new/", "POST"),
    Row("policies/<policy:name>/activate/", ADMINS, f"{GUARD}activate/"),
    Row("policies/<policy:name>/activate/confirm/", ADMINS, f"{GUARD}activate/confirm/"),
    Row("policies/<policy:name>/activate/confirm/", ADMINS, f"{GUARD}activate/confirm/", "POST"),
    Row("policies/<policy:name>/roll-back/", ADMINS, f"{GUARD}roll-back/?version=1"),
    Row("policies/<policy:name>/roll-back/", ADMINS, f"{GUARD}roll-back/?version=1", "POST"),
    Row("policies/<policy:name>/end/", ADMINS, f"{GUARD}end/"),
    Row("policies/<policy:name>/end/", ADMINS, f"{GUARD}end/", "POST"),
    Row("policies/playground/", AUTHORS),
    Row("policies/playground/", AUTHORS, method="POST"),
    Row("policies/playground/settings/", AUTHORS),
    Row("policies/backtests/", AUTHORS),
    Row("policies/backtests/", AUTHORS, method="POST"),
    Row("policies/backtests/<int:pk>/", A_TEST, TEST),
    Row("policies/backtests/<int:pk>/progress/", A_TEST, f"{TEST}progress/"),
    Row("policies/backtests/<int:pk>/cancel/", A_TEST, f"{TEST}cancel/", "POST"),
    Row("policies/backtests/<int:pk>/again/", A_TEST, f"{TEST}again/", "POST"),
    Row("policies/backtests/<int:pk>/calls/<int:position>/", A_TEST, f"{TEST}calls/1/"),
    Row("notifications/", REVIEWERS),
    Row("notifications/new/", ADMINS),
    Row("notifications/new/", ADMINS, method="POST"),
    Row("notifications/<int:pk>/", SEEN_BY_REVIEWERS, "notifications/1000/"),
    Row("notifications/<int:pk>/", OF_ADMINS, "notifications/1000/", "POST"),
    Row("notifications/<int:pk>/secret/", OF_ADMINS, "notifications/1000/secret/", "POST"),
    Row("notifications/<int:pk>/test/", OF_ADMINS, "notifications/1000/test/", "POST"),
    Row("notifications/<int:pk>/delete/", OF_ADMINS, "notifications/1000/delete/"),
    Row("notifications/<int:pk>/delete/", OF_ADMINS, "notifications/1000/delete/", "POST"),
    Row("notifications/deliveries/<int:pk>/again/", OF_ADMINS, "notifications/deliveries/1000/again/", "POST"),
    Row("retention/", ADMINS),
    Row("retention/periods/", ADMINS, method="POST"),
    Row("retention/holds/", ADMINS, method="POST"),
    Row("retention/holds/<int:pk>/release/", ADMINS, "retention/holds/1000/release/"),
    Row("retention/holds/<int:pk>/release/", ADMINS, "retention/holds/1000/release/", "POST"),
    Row("retention/purge/", ADMINS, method="POST"),
    Row("retention/erase/", ADMINS),
    Row("retention/erase/", ADMINS, method="POST"),
    Row("jobs/", REVIEWERS),
    Row("jobs/<int:pk>/", SEEN_BY_REVIEWERS, "jobs/1000/"),
    Row("jobs/<int:pk>/progress/", SEEN_BY_REVIEWERS, "jobs/1000/progress/"),
    Row("jobs/<int:pk>/cancel/", OF_ADMINS, "jobs/1000/cancel/", "POST"),
    Row("reports/", REPORTS),
    Row("reports/new/<slug:kind>/", REPORTS, "reports/new/calls/"),
    Row("reports/new/<slug:kind>/", REPORTS, "reports/new/calls/", "POST"),
    Row("reports/<int:pk>/", A_REPORT, "reports/1000/"),
    Row("reports/<int:pk>/progress/", A_REPORT, "reports/1000/progress/"),
    Row("reports/<int:pk>/cancel/", A_REPORT, "reports/1000/cancel/", "POST"),
    Row("reports/<int:pk>/delete/", A_REPORT, "reports/1000/delete/", "POST"),
    Row("reports/<int:pk>/download/", A_REPORT, "reports/1000/download/"),
    # The last, since it ends the session.
    Row("logout/", "L L L L L L L L L L", method="POST"),
)

ELSEWHERE = {
    "admin/": "Django's own: staff with the permissions that each model's page asks for",
    "v1": "keys, not people: the table in tests/gateway/test_keys.py",
    "ready": "anybody, and it looks at the processes of the house: tests/gateway/test_api.py",
    "debug/": "the root of the debug API, which serves nothing",
}
"""Routes that begin so have no row of their own, unless one is above."""
