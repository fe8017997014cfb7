"""The built-in lists: what texts from outside say, or hide, to take over a model. Pure.

A find goes on to the end of its sentence, line or tag, so that no half of an order is left.
"""

from __future__ import annotations

from typing import Literal, get_args

from policies.matching.finders import Finder
from policies.matching.folding import fold
from policies.matching.shapes import (
    EDGE,
    SPACE,
    Shape,
    any_case,
    chars,
    either,
    fillers,
    literal,
    maybe,
    one_of,
    sequence,
    words,
)

Category = Literal[
    "instruction_override", "hidden_instructions", "invisible_text", "exfiltration", "chat_markup", "jailbreak"
]
CATEGORIES: tuple[Category, ...] = get_args(Category)

_SENTENCE = r"^.!?\n"


def _spoken(text: str) -> Shape:
    """Words that are divided by |, in capitals or not."""
    return one_of(*fold(text).split("|"))


def _said(category: Category, *shapes: Shape) -> Finder:
    return Finder(category, any_case(sequence(EDGE, words(*shapes))), follow=_SENTENCE)


_FILL = _spoken("all|any|every|of|the|your|my|our|these|those|and|or|previous|prior|above|system|other|given|safety")
_EARLIER = _spoken("previous|prior|above|earlier|preceding|former|foregoing|original|initial|existing|system|safety")
_ORDERS = _spoken("instruction|prompt|rule|direction|command|guideline|context|message|polic|directive|restriction")
_OVERRIDES = (
    _said(
        "instruction_override",
        _spoken("ignore|disregard|forget|override|bypass|neglect|do not follow|don't follow|stop following"),
        sequence(fillers(_FILL, 5), _EARLIER, SPACE, fillers(_FILL, 3), _ORDERS),
    ),
    _said(
        "instruction_override",
        _spoken("ignoriere|ignorier|vergiss|missachte|ignorieren sie|vergessen sie"),
        sequence(
            fillers(_spoken("alle|die|deine|ihre|sämtliche"), 3),
            _spoken("vorherigen|bisherigen|vorigen|obigen|früheren"),
        ),
        _spoken("anweisung|instruktion|regel|befehl|vorgabe"),
    ),
    _said(
        "instruction_override",
        _spoken("ignore|ignorez|oublie|oubliez"),
        sequence(fillers(_spoken("toutes|les|tes|vos"), 3), _spoken("instructions|consignes|règles")),
        _spoken("précédentes|antérieures|ci-dessus"),
    ),
    _said(
        "instruction_override",
        _spoken("ignora|ignore|olvida|olvide"),
        sequence(fillers(_spoken("todas|las|tus|sus"), 3), _spoken("instrucciones|reglas|órdenes")),
        _spoken("anteriores|previas"),
    ),
    Finder(
        "instruction_override",
        sequence(
            one_of("忽略", "无视", "忘记"),
            maybe(one_of("所有", "你")),
            one_of("之前", "以上", "先前", "上面"),
            maybe(literal("的")),
            maybe(literal("所有")),
            one_of("指令", "指示", "提示", "规则"),
        ),
        follow=r"^\x{3002}.!?\n",
    ),
    _said(
        "instruction_override",
        _spoken("do not|don't|never"),
        _spoken("tell|inform|mention this to|reveal this to|show this to|alert|notify"),
        _spoken("the user|the human|the developer|the operator"),
    ),
)

_TO_A_MODEL = any_case(
    _spoken("ignore |disregard |instruction|assistant|system prompt|do not tell|don't tell|you must|language model|llm")
)
_HIDDEN = (
    Finder("hidden_instructions", sequence(literal("<!--"), chars("^>", 0, 800), _TO_A_MODEL), follow="^>"),
    Finder(
        "hidden_instructions",
        sequence(any_case(one_of("[//]:", "[comment]:")), chars(r"^\n", 0, 400), _TO_A_MODEL),
        follow=r"^\n",
    ),
)

_URL = any_case(one_of("https://", "http://", "//"))
_IMAGE = sequence(literal("!["), chars(r"^\]\n", 0, 200), literal("]("), chars(r"\s<", 0, 3), _URL)
_IMG = sequence(any_case(literal("<img")), chars("^>", 0, 200), any_case(literal("src=")), chars("\"' ", 0, 2), _URL)
_EXFILTRATION = (
    Finder(
        "exfiltration",
        sequence(_IMAGE, either(sequence(chars(r"^\s)>?#", 1, 149), chars("?#", 1, 1)), chars(r"^\s)>?#", 150, 150))),
        follow=r"^\s)>",
    ),
    Finder(
        "exfiltration",
        sequence(_IMG, either(sequence(chars(r"^\s\"'>?#", 1, 149), chars("?#", 1, 1)), chars(r"^\s\"'>?#", 150, 150))),
        follow=r"^\s\"'>",
    ),
)

_MARKUP = Finder(
    "chat_markup",
    any_case(
        one_of(
            *("<|im_start|>", "<|im_end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|endoftext|>", "<|eot_id|>"),
            *("<|start_header_id|>", "<|end_header_id|>", "<start_of_turn>", "<end_of_turn>", "<|channel|>"),
            *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<|begin_of_text|>", "<|message|>"),
        )
    ),
)
_JAILBREAKS = (
    _said(
        "jailbreak",
        _spoken("you are now|from now on you are|act as|pretend to be"),
        _spoken("dan|an unfiltered|an uncensored|an unrestricted|a jailbroken|jailbroken|unfiltered|unrestricted"),
    ),
    _said(
        "jailbreak",
        _spoken("do anything now|developer mode enabled|enter developer mode|jailbreak mode|god mode enabled"),
    ),
    _said(
        "jailbreak",
        _spoken("reveal|print|show|repeat|output|leak|display"),
        sequence(
            fillers(_spoken("me|us|the|your|all|of|full|entire|exact"), 4), _spoken("system|hidden|initial|secret")
        ),
        _spoken("prompt|instruction|message"),
    ),
    _said(
        "jailbreak",
        _spoken("you have no|without any|free of all|no longer bound by"),
        _spoken("restrictions|ethical guidelines|content policy|safety guidelines|your guidelines"),
    ),
)

_GHOSTS = r"\x{AD}\x{34F}\x{61C}\x{180E}\x{200B}-\x{200F}\x{2060}-\x{2064}\x{FEFF}\x{FE00}-\x{FE0F}\x{E0000}-\x{E01EF}"
RAW = {
    "invisible_text": (
        Finder("invisible_text", chars(_GHOSTS, 8, 8), follow=_GHOSTS),
        Finder("invisible_text", chars(r"\x{202D}\x{202E}", 1, 1)),
    )
}
"""Found in texts as they are: the flags of England and of emojis in families are shorter than eight in a row."""
FOLDED = {
    "instruction_override": _OVERRIDES,
    "hidden_instructions": _HIDDEN,
    "exfiltration": _EXFILTRATION,
    "chat_markup": (_MARKUP,),
    "jailbreak": _JAILBREAKS,
}
