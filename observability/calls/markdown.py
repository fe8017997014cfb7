"""Markdown of models and clients as HTML that can hurt nobody. Pure.

Nothing that they wrote becomes a tag, an attribute or a link: there are only the tags named here, and no attributes but
our classes and the number that a list starts at. Nothing is hidden either: an address stands beside its words, and a
text of which markdown would swallow a letter (a cell too many, nesting too deep) is shown as it was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from observability.presentation import visible

MOST = 12_000
"""Characters of a text that is read as markdown; the time for hostile ones grows faster than their length."""
_SAME = ("blockquote", "em", "hr", "li", "ol", "p", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul")
# The page has headings of its own, and a model's stand below them.
_TAGS = {tag: tag for tag in _SAME} | dict.fromkeys(("h3", "h4", "h5", "h6"), "h6") | {"h1": "h4", "h2": "h5"}


def html(text: str) -> str:
    """`text`, with what it hides made visible, as HTML; as it is where it is long or where markdown would hide some."""
    text = visible(text)
    if len(text) > MOST:
        return _as_written(text)
    renderer = _Renderer()
    made = renderer.render(_markdown.parse(text), _markdown.options, {})
    return str(made) if renderer.letters == _letters(text) else _as_written(text)


def _as_written(text: str) -> str:
    return f'<div class="as-written">{escape(text)}</div>'


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


class _Markdown(MarkdownIt):
    """An address is shown as it was written, and leads nowhere."""

    def validateLink(self, url: str) -> bool:  # noqa: N802
        return True

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url


class _Renderer(RendererHTML):
    """Writes the tokens of one text; what is theirs passes `_text`, which counts the `letters` that are shown."""

    def __init__(self) -> None:
        super().__init__()
        self.letters = 0

    def _text(self, text: str) -> str:
        text = visible(text)
        self.letters += _letters(text)
        return escape(text)

    def renderToken(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:  # noqa: N802
        token = tokens[idx]
        if token.hidden:
            return ""
        tag = _TAGS.get(token.tag, "span")
        if token.nesting == -1:
            return f"</{tag}>\n" if token.block else f"</{tag}>"
        start = token.attrGet("start")
        return f"<{tag}>" if start is None else f'<{tag} start="{int(start)}">'

    def text(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return self._text(tokens[idx].content)

    # There are no such tokens while their rules are off.
    html_block = html_inline = text

    def code_inline(self, tokens: Sequence[Token], idx: int, *args: Any) -> str:
        return f"<code>{self._text(tokens[idx].content)}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, *args: Any) -> str:
        return f"<pre><code>{self._text(tokens[idx].content)}</code></pre>\n"

    def fence(self, tokens: Sequence[Token], idx: int, *args: Any) -> str:
        info = tokens[idx].info.strip()
        language = f'<span class="language">{self._text(info)}</span>' if info else ""
        return f'<div class="fence">{language}{self.code_block(tokens, idx)}</div>\n'

    def link_open(self, tokens: Sequence[Token], idx: int, *args: Any) -> str:
        return '<span class="link">'

    def link_close(self, tokens: Sequence[Token], idx: int, *args: Any) -> str:
        opening = next(token for token in reversed(tokens[:idx]) if token.type == "link_open")
        return f"</span>{self._address(opening, 'href')}"

    def image(self, tokens: Sequence[Token], idx: int, *args: Any) -> str:
        words = self._text(tokens[idx].content)
        return f'<span class="link">{words}</span>{self._address(tokens[idx], "src")}'

    def _address(self, token: Token, name: str) -> str:
        title = token.attrGet("title")
        address = f'{token.attrGet(name)} "{title}"' if title else str(token.attrGet(name))
        return f' <code class="address">{self._text(address)}</code>'


_markdown = (
    _Markdown("commonmark", {"html": False, "breaks": True})
    .enable(["table", "strikethrough"])
    # Entities and references are ways to write what is not seen; without their rules they are text.
    .disable(["autolink", "entity", "html_block", "html_inline", "reference"])
)
