"""Shapes of text that know how they begin, so that a stream is held only where one may have begun. Pure.

A shape is a regular expression (RE2) of bounded length, put together from parts. `opening` matches every beginning of
what `pattern` matches, the empty one and the whole included. It may match more: it counts no repetitions, because a
number of openings that count would take too many states.
"""

from __future__ import annotations

from dataclasses import dataclass

import re2

CUT = "cut"
"""The name of the group that is cut out, where that is not the whole."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`longest` is in characters. `loose` matches what `pattern` does, without counting."""

    pattern: str
    loose: str
    opening: str
    longest: int


EDGE = Shape(r"\b", "", "", 0)
"""Between a letter, digit or underscore of ASCII and anything else."""


def literal(text: str) -> Shape:
    opening = ""
    for char in reversed(text):
        opening = f"(?:{re2.escape(char)}{opening})?"
    return Shape(re2.escape(text), re2.escape(text), opening, len(text))


def chars(of: str, least: int, most: int) -> Shape:
    """`least` to `most` (up to 1000) characters of the class `[of]`."""
    return Shape(f"[{of}]{{{least},{most}}}", f"[{of}]{'+' if least else '*'}", f"[{of}]*", most)


def sequence(*shapes: Shape) -> Shape:
    opening = shapes[-1].opening
    for shape in reversed(shapes[:-1]):
        opening = f"(?:{shape.loose}{opening}|{shape.opening})"
    return Shape(
        "".join(shape.pattern for shape in shapes),
        "".join(shape.loose for shape in shapes),
        opening,
        sum(shape.longest for shape in shapes),
    )


def either(*shapes: Shape) -> Shape:
    """The first of `shapes` that matches."""
    return Shape(
        f"(?:{'|'.join(shape.pattern for shape in shapes)})",
        f"(?:{'|'.join(shape.loose for shape in shapes)})",
        f"(?:{'|'.join(shape.opening for shape in shapes)})",
        max(shape.longest for shape in shapes),
    )


def one_of(*texts: str) -> Shape:
    return either(*map(literal, texts))


def maybe(shape: Shape) -> Shape:
    return Shape(f"(?:{shape.pattern})?", f"(?:{shape.loose})?", shape.opening, shape.longest)


def repeated(shape: Shape, least: int, most: int) -> Shape:
    return Shape(
        f"(?:{shape.pattern}){{{least},{most}}}",
        f"(?:{shape.loose})*",
        f"(?:(?:{shape.loose})*{shape.opening})",
        shape.longest * most,
    )


def captured(shape: Shape) -> Shape:
    """The part that is cut out; one a shape."""
    return Shape(f"(?P<{CUT}>{shape.pattern})", shape.loose, shape.opening, shape.longest)


def any_case(shape: Shape) -> Shape:
    return Shape(f"(?i:{shape.pattern})", f"(?i:{shape.loose})", f"(?i:{shape.opening})", shape.longest)


SPACE = chars(r"\s", 1, 8)


def words(*shapes: Shape) -> Shape:
    """Shapes with white space between them."""
    return sequence(*[piece for shape in shapes for piece in (SPACE, shape)][1:])


def fillers(shape: Shape, most: int) -> Shape:
    """Up to `most` words of that shape, with white space behind each; nothing, if there is none."""
    return repeated(sequence(shape, SPACE), 0, most)
