"""Where SQL stands: in arguments of tools, in shell commands, in code blocks of a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import re2

from policies.shell import FETCHED, UNKNOWN, Effect, Oddity, Program


@dataclass(frozen=True, slots=True)
class Sql:
    """A text that is run as SQL; without a dialect it is in that of the policy's config."""

    text: str
    dialect: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all of it is known."""
        return UNKNOWN not in self.text and FETCHED not in self.text


@dataclass(frozen=True, slots=True)
class _Client:
    """A program that sends SQL: `short` and `long` are its options that carry some, `valued` those with other values.

    `from_words`: from which word without an option on words are SQL; None for none.
    """

    dialect: str
    short: str
    long: tuple[str, ...]
    valued: str
    from_words: int | None = None


_PSQL = _Client("postgres", "c", ("command",), "dfFhLnopPRTUv")
_MYSQL = _Client("mysql", "e", ("execute", "init-command"), "DhPSu")
_CLIENTS = {
    "psql": _PSQL,
    "pgcli": _PSQL,
    "cockroach": _Client("postgres", "e", ("execute",), "dpu"),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "mycli": _MYSQL,
    "sqlite3": _Client("sqlite", "", ("cmd",), "", 1),
    "sqlite": _Client("sqlite", "", ("cmd",), "", 1),
    "duckdb": _Client("duckdb", "cs", ("cmd",), "f", 1),
    "sqlcmd": _Client("tsql", "qQ", (), "SUPdiohslwtvaEmrHAK"),
    "clickhouse-client": _Client("clickhouse", "q", ("query",), "hudp"),
    "snowsql": _Client("snowflake", "q", ("query",), "acudswrof"),
}
# What clients do by themselves and only look.
_LOOKS = re2.compile(
    r"(?m)^[ \t]*(?:\\(?:d[a-zA-Z+]*|l\+?|x|q|timing|conninfo|pset)(?:[ \t]+[\w.*+\"]+)*"
    r"|\.(?:tables|schema|headers?|mode|indexes|indices|databases|timer|width|quit|exit)(?:[ \t]+[\w.*%]+)*)[ \t]*;?$"
)
_BEGINNING = re2.compile(
    r"(?is)(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:select|insert|update|delete|merge|replace|create|alter|drop|truncate|grant|revoke|with"
    r"|copy|call|exec|execute|explain|do|begin|declare|set|use|load|attach|pragma|vacuum|prepare|rename|lock|table)\b"
)
_FENCE = re.compile(r"[ \t>]*(```+|~~~+)[ \t]*([\w+-]*)")
_LANGUAGES = {
    "sql": "",
    "postgres": "postgres",
    "postgresql": "postgres",
    "psql": "postgres",
    "pgsql": "postgres",
    "plpgsql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
    "tsql": "tsql",
    "plsql": "oracle",
}


def in_arguments(arguments: Mapping[str, Any], keys: frozenset[str]) -> list[Sql]:
    """The texts under `keys` at any depth; where there are none, every text that begins as SQL does."""
    under = list(_under(arguments, keys))
    return [Sql(text) for text in under or (text for text in _texts(arguments) if _BEGINNING.match(text))]


def in_shell(effects: Iterable[Effect], script: str) -> list[Sql]:
    """What a script hands to the clients of databases. One that cannot be read and names a client is unknown SQL."""
    found: list[Sql] = []
    for effect in effects:
        if isinstance(effect, Program):
            found += [each for name in effect.named(_CLIENTS.keys()) for each in _sent(_CLIENTS[name], effect)]
        elif isinstance(effect, Oddity) and any(client in script.lower() for client in _CLIENTS):
            found.append(Sql(UNKNOWN))
    return list(dict.fromkeys(found))


def in_code_blocks(text: str) -> list[Sql]:
    """The fenced blocks of Markdown that say they are SQL."""
    found: list[Sql] = []
    fence, code, language = "", list[str](), ""
    for line in [*text.split("\n"), ""]:
        mark = _FENCE.match(line)
        if not fence and mark:
            fence, code, language = mark[1], [], mark[2].lower()
        elif fence and mark and mark[1].startswith(fence):
            found += _block(language, code)
            fence = ""
        else:
            code.append(line)
    return [*found, *_block(language, code)] if fence else found


def _block(language: str, code: list[str]) -> list[Sql]:
    return [Sql("\n".join(code), _LANGUAGES[language])] if language in _LANGUAGES else []


def _sent(client: _Client, program: Program) -> Iterator[Sql]:
    texts = list(_options(client, program.args))
    if not texts and program.stdin:
        texts = [program.stdin]
    for text in texts:
        yield Sql(_LOOKS.sub("", text), client.dialect)


def _options(client: _Client, args: tuple[str, ...]) -> Iterator[str]:
    words, rest = 0, list(args)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.lstrip("-").partition("=")
        if word.startswith("--") or (word.startswith("-") and name in client.long):
            if name in client.long:
                yield value if equals else rest.pop(0) if rest else ""
        elif word.startswith("-") and len(word) > 1:
            yield from _cluster(client, word[1:], rest)
        else:
            if client.from_words is not None and words >= client.from_words:
                yield word
            words += 1


def _cluster(client: _Client, letters: str, rest: list[str]) -> Iterator[str]:
    """Short options in one word: `-Atc` and `-c"SELECT 1"`."""
    for at, letter in enumerate(letters, 1):
        if letter in client.short or letter in client.valued:
            value = letters[at:] or (rest.pop(0) if rest else "")
            if letter in client.short:
                yield value
            return


def _under(value: Any, keys: frozenset[str]) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner) if key.lower() in keys else _under(inner, keys)
    elif isinstance(value, list):
        for item in value:
            yield from _under(item, keys)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
