from html.parser import HTMLParser

import pytest

from observability.calls.markdown import MOST, html
from observability.presentation import visible
from tests.console.hostile import PAYLOADS

TAGS = set(
    "h4 h5 h6 p br hr blockquote ul ol li pre code em strong s table thead tbody tr th td span div".split()  # noqa: SIM905
)
ATTRIBUTES = {("class", value) for value in ("as-written", "address", "fence", "language", "link")}
WRAPPINGS = (
    "{}", "[{}](https://evil.invalid)", "[x]({})", '[x](<{}> "title")', "[x](https://evil.invalid '{}')", "![{}](x)",
    "![x]({})", "<{}>", "`{}`", "```{}\n{}\n```", "    {}", "# {}", "> {}", "- {}\n  1. {}", "**{}** _{}_ ~~{}~~",
    "|{}|b|\n|:-|-:|\n|{}|{}|", "|a|\n|-|\n|b|{}|", "[x][y]\n\n[y]: {}", "<div>\n{}\n</div>", "{}\n===", "\\{}",
    "[a](b\n{})", "&#60;{}&#62; &lt;{}", "7. {}", "<https://evil.invalid/{}>",
)  # fmt: skip


class Reading(HTMLParser):
    """What a browser makes of it: tags, attributes, and the text that people see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {
            each for each in attrs if not (tag == "ol" and each[0] == "start" and str(each[1]).isdigit())
        }

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.tags.add("a comment")

    def handle_decl(self, decl: str) -> None:
        self.tags.add("a declaration")

    def handle_pi(self, data: str) -> None:
        self.tags.add("an instruction")

    def unknown_decl(self, data: str) -> None:
        self.tags.add("a declaration")


def letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_hostile_text_becomes_no_markup_of_its_own_and_nothing_of_it_is_hidden(wrapping: str) -> None:
    for payload in PAYLOADS:
        text = wrapping.replace("{}", payload)
        read = Reading(html(text))
        assert read.tags <= TAGS, text
        assert read.attributes <= ATTRIBUTES, text
        assert sorted(letters(read.text)) == sorted(letters(visible(text))), text
        assert visible(read.text) == read.text.replace("\r\n", "\n"), text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines", "<p>two<br />\nlines</p>\n"),
        ("# One\n\n###### Six", "<h4>One</h4>\n<h6>Six</h6>\n"),
        (
            "```py\n1 < 2\n```",
            '<div class="fence"><span class="language">py</span><pre><code>1 &lt; 2\n</code></pre>\n</div>\n',
        ),
        ("```\nx\n```", '<div class="fence"><pre><code>x\n</code></pre>\n</div>\n'),
        ("    x", "<pre><code>x\n</code></pre>\n"),
        ("3. a\n\n   b", '<ol start="3"><li><p>a</p>\n<p>b</p>\n</li>\n</ol>\n'),
        ("- `a` **b**", "<ul><li><code>a</code> <strong>b</strong></li>\n</ul>\n"),
        (
            "[here](https://a.example 'now')",
            '<p><span class="link">here</span> <code class="address">https://a.example &quot;now&quot;</code></p>\n',
        ),
        ("![a cat](cat.png)", '<p><span class="link">a cat</span> <code class="address">cat.png</code></p>\n'),
        ("a&#x200b;b <b>", "<p>a&amp;#x200b;b &lt;b&gt;</p>\n"),
        ("a\u202eb", "<p>a[U+202E]b</p>\n"),
    ],
)
def test_markdown_is_shown_as_people_read_it(text: str, shown: str) -> None:
    assert html(text) == shown


@pytest.mark.parametrize("text", ["|a|\n|-|\n|b|hidden|", "> " * 60 + "deep", "x" * (MOST + 1)])
def test_what_markdown_would_hide_or_take_long_over_stands_as_it_was_written(text: str) -> None:
    assert html(text).startswith('<div class="as-written">')
    assert letters(Reading(html(text)).text) == letters(text)
