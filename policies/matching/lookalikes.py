# ruff: noqa: RUF001
"""Characters that look like one of ASCII in most fonts, and which one that is. Pure."""

from __future__ import annotations

# The one, and behind it those that look like it.
_LOOKALIKES = """
a аɑα    b Ьƅ     c сϲⅽ    d ԁɗ     e еҽє    f ƒ      g ɡց     h һհ     i іιıӏ   j јϳ     k κк     l ⅼǀ     m ⅿ
n ո      o оοօ૦   p рρ     q ԛգ     r ⲅ      s ѕꜱ     t τт     u υսᴜ    v νѵⅴ    w ѡԝա    x хⅹ     y уγү    z ᴢ
A АΑᎪ    B ВΒᏴ    C СϹᏟ    D Ꭰ      E ЕΕᎬ    F Ϝ      G Ԍ      H НΗᎻ    I ІΙӀ    J ЈᎫ     K КΚᏦ    L Ꮮ      M МΜᎷ
N Ν      O ОΟՕ    P РΡᏢ    Q Ԛ      R Ꭱ      S ЅՏᏚ    T ТΤᎢ    U Սᑌ     V ѴᏙ     W ԜᎳ     X ХΧ     Y УΥҮ    Z ΖᏃ
- ‐‑‒–—―−⁃﹘  . ․。    : ∶ː     / ⁄∕     @ ﹫     ' ‘’ʼ′    " “”″
"""


def _read() -> dict[str, str]:
    words = _LOOKALIKES.split()
    return {like: plain for plain, likes in zip(words[::2], words[1::2], strict=True) for like in likes}


LOOKALIKES = _read()
