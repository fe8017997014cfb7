from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from random import Random

from observability.seeding.story import MOST_TURNS, story

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


def test_a_story_has_teams_models_sessions_of_several_turns_and_every_kind_of_end() -> None:
    turns = list(story(3000, BEGIN, END, Random(1)))
    assert len(turns) == 3000
    assert BEGIN <= turns[0].at < turns[-1].at <= END
    assert all(one.at <= other.at for one, other in pairwise(turns))
    assert len({turn.talk.team for turn in turns}) == 5
    assert len({turn.talk.model[0] for turn in turns}) == 5
    assert {turn.outcome for turn in turns} >= {"finished", "blocked", "refused", "upstream_error", "cut", "stalled"}
    lengths = [len(turn.asked["messages"]) for turn in turns]
    assert max(lengths) > 5 and max(lengths) < 2 * MOST_TURNS
    assert any(turn.forwarded != turn.asked for turn in turns)
    assert any(turn.given != turn.said for turn in turns)
    assert all((turn.said is None) == (turn.outcome in ("refused", "upstream_error")) for turn in turns)


def test_the_same_seed_tells_the_same_story() -> None:
    assert list(story(50, BEGIN, END, Random(2))) == list(story(50, BEGIN, END, Random(2)))
    assert list(story(0, BEGIN, END, Random(2))) == []
