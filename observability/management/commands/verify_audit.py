"""`manage.py verify_audit`."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from observability.rows.database import DatabaseAway
from observability.sealing.anchor import Anchor
from observability.sealing.keys import public_key
from observability.text import number_of
from observability.verification.report import verify
from observability.verification.report_summary import anchored, summary
from observability.verification.run import Report, Verification
from observability.verification.snapshot import snapshot

WRONG, UNKNOWN = 1, 2
"""The exit status where something is wrong, and where that cannot be found out."""
SHOWN = 20
_NAMED = "on purpose: a signed tombstone names each"


class Command(BaseCommand):
    help = (
        "Verifies that calls, verdicts, policies and audit events are those that were recorded and sealed; "
        "or, given the file of an exported report, that it is what was signed, without any database. "
        "Exit status: 0 if all of it holds, 1 if something is wrong, 2 if that cannot be found out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="an exported report (ZIP) to verify, and nothing else")
        parser.add_argument("--anchor", type=Path, help="compare with this file (default: LUTHIEN_ANCHOR_FILE)")
        parser.add_argument("--key", action="append", default=[], metavar="PUB", help="trust this public key too")
        parser.add_argument("--bodies", action="store_true", help="also compare every stored body with its digest")
        parser.add_argument("--print-key", action="store_true", help="print this installation's public key, and stop")

    def handle(
        self,
        *,
        file: Path | None,
        anchor: Path | None,
        key: Sequence[str],
        bodies: bool,
        print_key: bool,
        **options: Any,
    ) -> None:
        if print_key:
            self.stdout.write(public_key().hex())
        elif file is not None:
            self._verify_report(file, [read_key(each) for each in key] or [public_key()], anchor)
        else:
            self._verify_record({public_key(), *map(read_key, key)}, anchor, bodies)

    def _verify_report(self, path: Path, keys: Sequence[bytes], anchor: Path | None) -> None:
        """A key that was named is the only one that counts: whoever checks a report need not run what made it."""
        try:
            with path.open("rb") as file:
                check = verify(file, keys)
            sealed = None if anchor is None else anchored(check, Anchor(anchor))
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.", returncode=UNKNOWN) from None
        for line in summary(check, sealed):
            self.stdout.write(line)
        if not check.findings:
            self.stdout.write("All of it holds.")
            return
        for finding in check.findings[:SHOWN]:
            self.stdout.write(f"Wrong: {finding.what}")
        raise CommandError(f"{len(check.findings)} things are wrong.", returncode=WRONG)

    def _verify_record(self, keys: set[bytes], anchor: Path | None, bodies: bool) -> None:
        file = _anchor(anchor)
        try:
            with snapshot(connections["default"].settings_dict) as database:
                report = Verification(database, keys, Bar(self.stderr.isatty())).run(file, bodies)
        except DatabaseAway as error:
            raise CommandError(f"The database cannot be read: {error}", returncode=UNKNOWN) from None
        except OSError as error:
            raise CommandError(f"The anchor cannot be read: {error.strerror}.", returncode=UNKNOWN) from None
        self._tell(report, file)

    def _tell(self, report: Report, file: Anchor | None) -> None:
        for line in _summary(report, file):
            self.stdout.write(line)
        if report.first is None:
            self.stdout.write("All of it holds.")
            return
        self.stdout.write(f"First: {_sentence(report.first)}")
        others = [finding for finding in report.findings if finding is not report.first]
        for finding in others[:SHOWN]:
            self.stdout.write(f"       {_sentence(finding)}")
        if report.wrong - 1 > SHOWN:
            self.stdout.write(f"       and {report.wrong - 1 - SHOWN} more")
        raise CommandError(f"{report.wrong} things are wrong.", returncode=WRONG)


class Bar:
    """Progress on standard error: a bar on a terminal, elsewhere a line every ten seconds."""

    WIDTH = 40

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal
        self._told = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told < (0.1 if self._is_terminal else 10) and not (self._is_terminal and done == total):
            return
        self._told = now
        share = min(done / total, 1) if total else 1
        if self._is_terminal:
            filled = int(share * self.WIDTH)
            bar = "#" * filled + "." * (self.WIDTH - filled)
            sys.stderr.write(f"\r[{bar}] {share:4.0%}{chr(10) if done == total else ''}")
        else:
            sys.stderr.write(f"{done} of {total} rows\n")
        sys.stderr.flush()


def _summary(report: Report, file: Anchor | None) -> list[str]:
    calls, policies = report.calls, report.policies
    lines = [
        f"Looked at  {number_of(calls.calls, 'call')}, {number_of(calls.verdicts, 'verdict')}, "
        f"{number_of(report.events, 'audit event')}, {number_of(policies['policyversion'], 'policy version')}, "
        f"{number_of(policies['activation'], 'activation')}",
        f"Sealed     {report.sealed:,} of {_leaves(report.leaves)} in {number_of(report.chains, 'chain')}, "
        f"{_last_seal(report)}",
        f"Pending    {_leaves(report.leaves - report.sealed)} that no seal covers yet",
        f"Open       {number_of(calls.open, 'call')} not ended",
    ]
    if report.removed:
        lines.append(f"Removed    {_leaves(report.removed)}, {_NAMED}")
    if calls.erased:
        lines.append(f"Erased     the bodies of {number_of(calls.erased, 'call')}, {_NAMED}")
    if report.bodies is not None:
        lines.append(f"Bodies     {report.bodies:,} compared with their digests")
    if file is None or report.anchored is None:
        lines.append("Anchor     none: that the record's end was not cut off cannot be shown")
    else:
        lines.append(f"Anchor     {number_of(report.anchored, 'seal')} in {file.path}")
    return lines


def _last_seal(report: Report) -> str:
    last = report.last_seal
    return f"seal {last.number} of {last.at:%Y-%m-%d %H:%M:%S} UTC being the last" if last else "there is no seal"


def _sentence(finding: Any) -> str:
    return f"{finding.what} ({finding.at:%Y-%m-%d %H:%M:%S})" if finding.at else str(finding.what)


def _anchor(given: Path | None) -> Anchor | None:
    """That of the settings counts if it is there; one that was named has to be."""
    path = given or Path(settings.LUTHIEN_ANCHOR_FILE)
    if given is None and not path.exists():
        return None
    return Anchor(path)


def read_key(text: str) -> bytes:
    """A public key as it is given on a command line, in its 32 bytes. Raises CommandError."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise CommandError("A public key is 64 hexadecimal digits.", returncode=UNKNOWN)
    return key


def _leaves(count: int) -> str:
    return number_of(count, "leaf", "leaves")
