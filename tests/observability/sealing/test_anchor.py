from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from observability.sealing.anchor import Anchor
from observability.sealing.merkle import EMPTY
from observability.sealing.statement import Seal

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def seals(count: int) -> list[Seal]:
    made: list[Seal] = []
    for _ in range(count):
        made.append(Seal.make(made[-1] if made else None, datetime(2026, 1, 1, tzinfo=UTC), EMPTY, [], KEY))
    return made


def test_seals_are_appended_once_whoever_appends_them(tmp_path: Path) -> None:
    one, two = Anchor(tmp_path / "deep" / "anchor"), Anchor(tmp_path / "deep" / "anchor")
    first, second, third = seals(3)
    assert one.last() is None
    one.append([first, second])
    two.append([first, second, third])
    one.append([second])
    assert list(one.read()) == [first, second, third]
    assert two.last() == third
    assert (tmp_path / "deep" / "anchor").stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_off_spoils_no_other(tmp_path: Path) -> None:
    first, second = seals(2)
    path = tmp_path / "anchor"
    path.write_text(f"{first.line}\n{second.line[:40]}")
    anchor = Anchor(path)
    assert anchor.last() == first
    anchor.append([second])
    assert list(anchor.read()) == [first, second]
