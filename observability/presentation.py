"""What people see of a record: text without hidden characters, and the colours of outcomes. Pure."""

from __future__ import annotations


def visible(text: str) -> str:
    """`text` with what would not be seen made to be: control characters, and those that hide or turn around others.

    Models are steered, and readers misled, by characters that a page shows as nothing.
    """
    return text.replace("\r\n", "\n").translate(_VISIBLE)


_VISIBLE = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"} | {0x7F: "\N{SYMBOL FOR DELETE}"}
_HIDDEN = (
    *range(0x80, 0xA0),  # C1 controls
    *(0xAD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF),
    *range(0x202A, 0x202F),  # embedding and override of direction
    *range(0x2060, 0x2070),  # invisible operators, isolates of direction
    *range(0xE0000, 0xE0080),  # tags: a whole invisible ASCII
    *range(0xE0100, 0xE01F0),  # variation selectors, which carry bytes unseen
)
_VISIBLE |= {code: f"[U+{code:04X}]" for code in _HIDDEN}

OUTCOME_TONES = {
    "finished": "allowed",
    "blocked": "blocked",
    "refused": "blocked",
    "open": "idle",
    "cancelled": "idle",
}
ACTION_TONES = {
    "allow": "allowed",
    "replace": "changed",
    "reroute": "changed",
    "retry": "changed",
    "respond": "changed",
    "block": "blocked",
    "stop": "blocked",
    "refuse": "blocked",
    "dropped": "changed",
    "not_reached": "idle",
    "asked": "idle",
}
ACTIONS = (*ACTION_TONES, "failed_open", "failed_closed")
"""All that may stand on record as a policy's decision."""


def outcome_tone(outcome: str) -> str:
    """The colour of an outcome; what is neither good nor decided by a policy has failed."""
    return OUTCOME_TONES.get(outcome, "failed")


def action_tone(action: str) -> str:
    """The colour of a policy's decision."""
    return ACTION_TONES.get(action, "failed")
