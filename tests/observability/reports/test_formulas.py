from __future__ import annotations

import pytest

from observability.reports.formulas import defused

HARMFUL = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+SUM(A1)",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1",
    "\tplain",
    "\r=1",
    "\rplain",
    "\nplain",
    "\0=1",
    " =1",
    "  \t @x",
    "\N{NO-BREAK SPACE}=1",
    "\N{IDEOGRAPHIC SPACE}+1",
    "\N{ZERO WIDTH SPACE}=1",
    "\N{ZERO WIDTH NO-BREAK SPACE}=1",
    "\N{RIGHT-TO-LEFT OVERRIDE}=1",
    "\x1f-1",
    "\x7f@x",
    "\N{FULLWIDTH EQUALS SIGN}1",
    "\N{FULLWIDTH PLUS SIGN}1",
    "\N{FULLWIDTH HYPHEN-MINUS}1",
    "\N{FULLWIDTH COMMERCIAL AT}x",
    "\N{MINUS SIGN}1",
    "\N{VARIATION SELECTOR-16}=1",
    "-",
    "=",
]
HARMLESS = ["", "plain", "a=b", "1-2", "rm -rf /", "'=1", "call_1", "user@example.com", " plain", "\N{EN DASH}", "(+1)"]


@pytest.mark.parametrize("text", HARMFUL)
def test_what_a_spreadsheet_might_run_gets_an_apostrophe(text: str) -> None:
    assert defused(text) == "'" + text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert defused(text) == text
