"""Which paths are dangerous to change as a whole."""

from __future__ import annotations

import posixpath
import re

from policies.shell import UNKNOWN, stripped

_DISK = re.compile(r"/dev/(?:[hsv]d[a-z]|xvd|nvme\d|mmcblk|r?disk\d|mapper/|md\d|dm-|loop\d|mem\b|kmem\b|port\b)")
_HOME = re.compile(r"~[^/]*(?:/+\*?)?\Z")
_HERE = frozenset({".", "..", "*", ".*", "{,.}*"})


def is_disk(path: str) -> bool:
    return bool(_DISK.match(path))


def is_everything(path: str) -> bool:
    """The root, a directory right below it, a home, or all that is in one of these."""
    if _HOME.match(path):
        return True
    path = stripped(path)
    if not path.startswith("/"):
        return False
    parts = [part for part in posixpath.normpath(path).split("/") if part not in ("", "*")]
    return len(parts) <= 1


def is_here(path: str) -> bool:
    """The working directory or one above it, or all that is in it."""
    parts = [part for part in path.split("/") if part]
    return not path.startswith("/") and bool(parts) and all(part in _HERE for part in parts)


def is_dangerous(path: str) -> bool:
    """Where nobody wants a recursive delete."""
    if UNKNOWN in path:
        # "$DIR/*" is "/*" once DIR is empty; a longer path is only unknown.
        return stripped(path) in ("/", "/*", "/.", "/.*")
    return is_everything(path) or is_here(path)


def is_outside(path: str) -> bool:
    """Not certainly below the working directory."""
    return UNKNOWN in path or path.startswith(("/", "~")) or ".." in path.split("/") or is_here(path)
