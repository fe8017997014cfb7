"""Changing texts inside of JSON, and nothing else of it: spelling, order and all other values stay. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|-?[0-9][0-9.eE+-]{5,}|[\[\]{},]', re.DOTALL)
_KEY = re.compile(r"\s*+:")


class KeysCollide(ValueError):
    """Two keys of an object would become the same."""


def map_texts(document: str, change: Callable[[str, str], str]) -> str:
    """`document`, which is valid JSON, with `change` applied to each of its texts, keys and longer numbers.

    `change` is given the text, and the key that it stands under: empty for keys, and inside of lists that of the list.
    A number that it changes becomes a text. Raises KeysCollide.
    """
    pieces: list[str] = []
    end = 0
    walk = _Walk()
    for token in _TOKEN.finditer(document):
        is_key = document[token.start()] == '"' and _KEY.match(document, token.end()) is not None
        new = walk.visit(token[0], is_key, change)
        if new is not None:
            pieces += document[end : token.start()], new
            end = token.end()
    return "".join([*pieces, document[end:]]) if pieces else document


class _Walk:
    """Where in the document one stands: the keys of the open objects and lists, and what keys each object has."""

    def __init__(self) -> None:
        self._key = ""
        self._open: list[tuple[str, set[str]]] = []

    def visit(self, token: str, is_key: bool, change: Callable[[str, str], str]) -> str | None:
        """What stands in the token's place, if it is something else."""
        match token[0]:
            case "{" | "[":
                self._open.append((self._key, set()))
            case "}" | "]":
                self._key = self._open.pop()[0]
            case ",":
                self._key = self._open[-1][0]
            case _:
                old = json.loads(token, strict=False) if token[0] == '"' else token
                new = change(old, "" if is_key else self._key)
                if is_key:
                    self._enter(old, new)
                return None if new == old else _string(new)
        return None

    def _enter(self, old: str, new: str) -> None:
        keys = self._open[-1][1]
        if new in keys:
            raise KeysCollide("two keys would become the same")
        keys.add(new)
        self._key = old


def _string(text: str) -> str:
    """As it reads best; a lone surrogate can only stand there escaped."""
    return json.dumps(text, ensure_ascii=not text.isprintable())
