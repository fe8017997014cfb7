from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from observability.models import AuditEvent, Review
from observability.retention.signals import contents_gone
from observability.reviews import labelling
from observability.reviews.models import BY_CLIENT, WHOLE_CALL, Label
from observability.search import indexing
from observability.search.language import parse
from observability.search.listing import VOCABULARY, page_of
from tests.observability.reviews.conftest import NOW, put

pytestmark = pytest.mark.django_db


def search(text: str) -> list[str]:
    return [call.pk for call in page_of(parse(text, NOW, VOCABULARY)).calls]


def test_a_label_says_what_it_is_of_and_the_last_one_counts() -> None:
    call = put(1, "no-secrets allow", "no-secrets block")
    labelling.label(call, 1, Label.TRUE_ALARM, by="rita", comment=" yes\0 ")
    labelling.label(call, 1, Label.FALSE_ALARM, by="ben")
    review = Review.objects.get()
    assert (review.policy, review.version, review.team, review.position) == ("no-secrets", 3, "payments", 1)
    assert (review.label, review.by, review.comment) == ("false_alarm", "ben", "yes\N{REPLACEMENT CHARACTER}")


def test_each_change_is_an_audit_event_that_quotes_no_comment() -> None:
    call = put(1, "no-secrets block")
    labelling.label(call, 0, Label.TRUE_ALARM, by="rita", comment="the customer's name")
    labelling.label(call, 0, Label.TRUE_ALARM, by="rita")
    labelling.label(call, WHOLE_CALL, Label.FINE, by="rita")
    labelling.withdraw(call, 0, by="ben")
    labelling.withdraw(call, 0, by="ben")
    events = [(event.actor, event.action, event.detail) for event in AuditEvent.objects.order_by("id")]
    verdict = {"verdict": 0, "policy": "no-secrets@3"}
    assert events == [
        ("rita", "review.labelled", {"label": "true_alarm", "before": "", "comment": True} | verdict),
        ("rita", "review.labelled", {"label": "fine", "before": "", "comment": False}),
        ("ben", "review.withdrawn", {"before": "true_alarm"} | verdict),
    ]
    assert {event.subject for event in AuditEvent.objects.all()} == {call.pk}


def test_a_verdict_that_is_not_there_is_not_labelled() -> None:
    with pytest.raises(labelling.NoSuchVerdict):
        labelling.label(put(1), 7, Label.FINE, by="rita")


def test_a_client_reports_once_and_too_many_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelling, "MOST_REPORTS", 2)
    first, second, third = put(1), put(2), put(3)
    assert [labelling.report(call) for call in (first, first, second, third, first)] == [True, True, True, False, True]
    assert set(Review.objects.values_list("call_id", "position", "label", "by")) == {
        (call.pk, BY_CLIENT, "reported", "") for call in (first, second)
    }
    assert AuditEvent.objects.filter(action="review.reported").count() == 2
    Review.objects.update(at=timezone.now() - labelling.WITHIN - timedelta(seconds=1))
    assert labelling.report(third)


def test_calls_are_found_by_their_labels_and_no_longer_by_those_taken_back() -> None:
    call, other = put(1, "p block"), put(2, "p block")
    labelling.label(call, 0, Label.FALSE_ALARM, by="rita")
    labelling.report(other)
    assert search("label:false_alarm") == [call.pk]
    assert search("label:reported") == [other.pk]
    assert search("verdict:block -label:false_alarm") == [other.pk]
    labelling.withdraw(call, 0, by="rita")
    assert search("label:false_alarm") == []


def test_a_call_that_is_indexed_anew_keeps_its_labels() -> None:
    call = put(1, "p block")
    labelling.label(call, 0, Label.FALSE_ALARM, by="rita")
    indexing.forget([call.pk])
    labelling.label(call, WHOLE_CALL, Label.MISSED, by="rita")
    indexing.catch_up()
    assert search("label:false_alarm label:missed") == [call.pk]


def test_an_erased_call_loses_its_comments_and_a_purged_one_its_labels() -> None:
    erased, purged = put(1, "p block"), put(2, "p block")
    for call in (erased, purged):
        labelling.label(call, 0, Label.TRUE_ALARM, by="rita", comment="they wrote a name")
    contents_gone.send(sender=None, call_ids=[erased.pk], whole=False)
    contents_gone.send(sender=None, call_ids=[purged.pk], whole=True)
    assert list(Review.objects.values_list("call_id", "label", "comment")) == [(erased.pk, "true_alarm", "")]
