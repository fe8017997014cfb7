from __future__ import annotations

import pytest

from observability.models import Decision
from observability.reviews import labelling
from observability.reviews.models import WHOLE_CALL, Label
from observability.reviews.precision import Precision, of_policy
from tests.observability.reviews.conftest import put

pytestmark = pytest.mark.django_db


def test_precision_is_the_share_of_true_alarms_among_those_labelled_by_version() -> None:
    labels = [Label.TRUE_ALARM, Label.TRUE_ALARM, Label.FALSE_ALARM, Label.MISSED, Label.FINE]
    call = put(1, *["p block"] * len(labels), "other block")
    Decision.objects.filter(position=0, policy="p").update(version=4)
    for position, label in enumerate(labels):
        labelling.label(call, position, label, by="rita")
    labelling.label(call, WHOLE_CALL, Label.FALSE_ALARM, by="rita")
    labelling.label(call, 5, Label.FALSE_ALARM, by="rita")
    found = of_policy("p", None)
    assert found.total == Precision(true=2, false=1, missed=1, fine=1)
    assert found.total.share == pytest.approx(200 / 3)
    assert found.versions == [(4, Precision(true=1)), (3, Precision(true=1, false=1, missed=1, fine=1))]
    assert of_policy("p", ["payments"]).total.labels == 5
    assert of_policy("p", ["other"]) == of_policy("unheard-of", None)


def test_where_no_alarm_was_labelled_there_is_no_share() -> None:
    assert Precision(missed=1).share is None
    assert of_policy("p", None).total == Precision()
