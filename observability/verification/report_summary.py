"""What was found in an exported report, in lines for a terminal."""

from __future__ import annotations

from observability.sealing.anchor import Anchor
from observability.text import number_of

from .report import ReportCheck


def anchored(check: ReportCheck, anchor: Anchor) -> bool:
    """Whether the anchor has the seal that the report stands on, which is noted where it has not. Raises OSError."""
    seal = check.manifest.seal if check.manifest else None
    if seal is None:
        return False
    if any(each.number == seal.number and each.digest == seal.digest for each in anchor.read()):
        return True
    check.note(f"seal {seal.number} that it stands on is not in the anchor")
    return False


def summary(check: ReportCheck, anchored: bool | None) -> list[str]:
    """`anchored` says whether the anchor has the seal, None where no anchor was named."""
    manifest = check.manifest
    if manifest is None:
        return []
    facts, seal = manifest.facts, manifest.seal
    lines = [
        f"Report     {facts['title']}, {facts['since'][:19]} to {facts['until'][:19]} UTC",
        f"Made       for {facts['by']} at {facts['made_at'][:19]} UTC, signed by {manifest.key.hex()}",
        f"Filters    {', '.join(f'{name}: {value}' for name, value in facts['filters'].items()) or 'none'}",
        f"Files      {len(manifest.files)}, and the manifest that names them",
        f"Looked at  {number_of(check.calls, 'call')}, {number_of(check.events, 'audit event')}, "
        f"{_leaves(check.leaves)}",
    ]
    if seal is not None:
        what = {True: ", which the anchor has", False: "", None: ""}[anchored]
        lines.append(
            f"Sealed     {_leaves(check.sealed)}, by seal {seal.number} of {seal.at:%Y-%m-%d %H:%M:%S} UTC{what}"
        )
    lines.append(f"Pending    {_leaves(check.leaves - check.sealed)} not covered by the seal")
    if check.shown or check.redacted:
        lines.append(f"Bodies     {check.shown} shown, {check.redacted} redacted: the leaves cover both")
    return lines


def _leaves(count: int) -> str:
    return number_of(count, "leaf", "leaves")
