from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from luthien_site.bench.processes import DidNotStart
from luthien_site.management.commands import prove
from luthien_site.proofs.registry import Finding, Order, Proof


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[Order]:
    """What the proof `good`, the proof `bad` and the proof `away` were told; each leaves its folder."""
    given: list[Order] = []

    def good(order: Order) -> Finding:
        given.append(order)
        order.folder.mkdir(parents=True)
        return Finding({"kills": order.rounds}, [])

    def bad(order: Order) -> Finding:
        given.append(order)
        order.folder.mkdir(parents=True)
        return Finding({}, ["call_1 is on no record"])

    def away(order: Order) -> Finding:
        raise DidNotStart("PostgreSQL is not there.")

    runs = {"good": good, "bad": bad, "away": away}
    known = {name: Proof(name, "All is well.", 7, run, keeps=name == "good") for name, run in runs.items()}
    monkeypatch.setattr(prove, "proofs", lambda: known)
    return given


def test_a_proof_that_holds_says_so_with_its_counts(orders: list[Order], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("prove", "good", "--db", "postgres")
    printed = capsys.readouterr().out
    assert "good on postgres" in printed
    assert "7  kills" in printed
    assert "It holds." in printed
    assert (orders[0].rounds, orders[0].postgres) == (7, True)
    assert not orders[0].folder.exists()


def test_a_proof_that_does_not_hold_ends_red_and_keeps_its_data(
    orders: list[Order], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match="Not proven: bad"):
        call_command("prove", "bad", "--rounds", "2")
    assert "NOT SO: call_1 is on no record" in capsys.readouterr().out
    assert orders[0].rounds == 2
    assert orders[0].folder.exists()
    assert orders[0].folder.is_relative_to(Path(settings.LUTHIEN_DATA_DIR))


def test_without_a_name_all_are_run(orders: list[Order]) -> None:
    with pytest.raises(CommandError, match="PostgreSQL is not there"):
        call_command("prove")
    assert len(orders) == 2


def test_an_unknown_proof_is_refused_with_the_names_that_there_are(orders: list[Order]) -> None:
    with pytest.raises(CommandError, match="There is no proof magic; there are good, bad, away"):
        call_command("prove", "magic")


def test_what_a_proof_made_is_kept_where_that_was_asked_for(orders: list[Order], tmp_path: Path) -> None:
    call_command("prove", "good", "--keep", str(tmp_path))
    assert orders[0].keep == tmp_path
    with pytest.raises(CommandError, match="nothing to keep of bad"):
        call_command("prove", "bad", "--keep", str(tmp_path))
