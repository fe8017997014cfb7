"""Which files the paths of a script mean: `cd`, `..`, homes, and links that the script itself made. Pure."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from dataclasses import dataclass, replace

from .words import FETCHED, UNKNOWN

MAX_DIRECTORIES = 8
MAX_LINKS = 64
MAX_PATH = 4096
"""Characters. No system opens a longer path."""
_HOME = re.compile(r"(?:~[^/]*|/(?:home|users)/[^/]+|/(?:var/)?root)(?=/|\Z)", re.IGNORECASE)
_PROCESS = re.compile(r"\A/proc/[^/]+(?:/task/[^/]+)?/(root|cwd)(?=/|\Z)", re.IGNORECASE)
_PRIVATE = re.compile(r"\A/private(?=/(?:etc|var|tmp)(?:/|\Z))", re.IGNORECASE)
_SLASHES = re.compile(r"/+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command stands: the directories that it may be run in, those before, and the links that were made.

    Directories are as `resolve` writes them: absolute, below `~`, or below `.`, where the script was started.
    """

    directories: tuple[str, ...] = (".",)
    before: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def effort(self) -> int:
        """What it takes to read a path here: the ways there are, each as long as its directory."""
        return (1 + len(self.links)) * sum(1 + len(directory) // 100 for directory in self.directories)

    def moved(self, path: str, certainly: bool) -> Place:
        """After `cd path`."""
        there = _distinct((*self.directories, *self.before)) if path == "-" else self.resolve(path or "~")
        stayed = () if certainly and path != "-" else self.directories
        return replace(
            self,
            directories=_few(_distinct((*there, *stayed))),
            before=_few(_distinct((*self.before, *self.directories))),
        )

    def linked(self, link: str, target: str) -> Place:
        """After `ln -s target link`. A relative target is meant from where the link is."""
        links = list(self.links)
        for name in self.resolve(link):
            beside = replace(self, directories=(posixpath.dirname(name) or "/",))
            links += [(name, real) for real in beside.resolve(target)]
        return replace(self, links=tuple(links[-MAX_LINKS:]))

    def resolve(self, path: str) -> tuple[str, ...]:
        """The files that `path` may mean, most likely one: `/etc/x`, `~/x` (any home), or `./x` from the start."""
        found = [name for start in self.directories for way in _joined(start, plain(path)) for name in _normal(way)]
        for link, real in self.links:
            behind = [real + name[len(link) :] for name in found if name == link or name.startswith(f"{link}/")]
            found += [name for way in behind for name in _normal(way)]
            if len(found) > MAX_LINKS:
                return _distinct((*found[:MAX_LINKS], UNKNOWN))
        return _distinct(tuple(found))


START = Place()
"""Where a script begins."""


def plain(path: str) -> str:
    """`path` as file systems compare names at the most: without invisible characters and widths."""
    if path.isascii():
        return path
    visible = "".join(char for char in path if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", visible)


def _joined(start: str, path: str) -> list[str]:
    if len(start) + len(path) > MAX_PATH:
        return [UNKNOWN]
    if path.startswith(("/", "~")):
        return [path]
    if path.startswith((UNKNOWN, FETCHED)):
        # Nothing, a home, or the root: what else it may be, nobody can tell.
        rest = path.lstrip(UNKNOWN + FETCHED)
        return [path, f"~/{rest}", f"/{rest}", f"{start}/{rest}"]
    return [f"{start}/{path}"]


def _normal(path: str) -> list[str]:
    """`path` without detours. One that leaves a home or the start upwards may end at the root or in a home."""
    path = _PROCESS.sub(_process_directory, _SLASHES.sub("/", path)) or "/"
    if path.startswith(("/", UNKNOWN, FETCHED)):
        path = _PRIVATE.sub("", _SLASHES.sub("/", posixpath.normpath(path)))
    home = _HOME.match(path)
    start = "~" if home else "."
    below = path[home.end() :] if home else path
    if not home and not path.startswith("."):
        return [path]
    inside = posixpath.normpath(f"./{below}")
    if inside == ".":
        return [start]
    if not _is_above(inside):
        return [f"{start}/{inside}"]
    rest = inside
    while _is_above(rest):
        rest = rest[3:]
    above = [f"/home/{rest}"] if home and inside == f"../{rest}" else []
    return [*above, f"/{rest}", *([] if home else [f"~/{rest}".rstrip("/"), f"./{inside}"])]


def _is_above(path: str) -> bool:
    return path == ".." or path.startswith("../")


def _process_directory(match: re.Match[str]) -> str:
    return "" if match[1].lower() == "root" else "."


def _distinct(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(paths))


def _few(paths: tuple[str, ...]) -> tuple[str, ...]:
    return paths if len(paths) <= MAX_DIRECTORIES else (*paths[: MAX_DIRECTORIES - 1], UNKNOWN)
