"""Filters that turn a record's figures and words into what people read."""

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.safestring import SafeString, mark_safe

from observability import presentation
from observability.calls import markdown as markdown_text
from observability.calls import readable
from observability.diffs.pairs import pretty

register = template.Library()
register.filter("outcome_tone", presentation.outcome_tone)
register.filter("action_tone", presentation.action_tone)
register.filter("pretty", pretty)
register.filter("fields", readable.fields)
register.filter("brief", readable.brief)


@register.filter
def visible(value: object) -> str:
    """What clients and models wrote, with nothing hidden in it; it still has to be escaped, and is."""
    return presentation.visible(str(value))


@register.filter
def markdown(value: object) -> SafeString:
    """What they wrote as markdown. The renderer lets none of it become a tag, an attribute or a link."""
    return mark_safe(markdown_text.html(str(value)))  # noqa: S308


NOTHING = "\N{EN DASH}"


@register.filter
def ms(value: float | None) -> str:
    """Milliseconds, as seconds from one second on."""
    if value is None:
        return NOTHING
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


@register.filter
def count(value: int | None) -> str:
    """A whole number with separators."""
    return NOTHING if value is None else intcomma(value, use_l10n=False)


@register.filter
def dollars(microdollars: int | None) -> str:
    """Millionths of a US dollar; small sums keep what makes them differ from nothing."""
    if microdollars is None:
        return NOTHING
    amount = microdollars / 1_000_000
    if amount >= 1 or amount == 0:
        return f"${amount:,.2f}"
    return f"${amount:.3f}" if amount >= 0.01 else f"${amount:.6f}".rstrip("0")


@register.filter
def words(value: str) -> str:
    """`upstream_error` as people write it."""
    return value.replace("_", " ")
