"""Markup to plain text, by libxml2's HTML parser: tags, scripts and styles go, entities become characters."""

from __future__ import annotations

import re

from lxml import etree

from transforms.text import plain

MAX_MARKUP = 1_000_000  # characters of one field that are looked at
_MARKUP = re.compile(r"<[A-Za-z/!?]|&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SILENT = frozenset({"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "head", "textarea"})
_INLINE_NAMES = (
    "a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark nobr q s samp small span strike strong sub"
    " sup tt u var wbr"
)
_INLINE = frozenset(_INLINE_NAMES.split())
_PASSES = 4  # feeds escape once or twice too often; more is an attack


class _Text:
    """Collects character data as libxml2 reports it."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._silent: list[str] = []

    def start(self, tag: str, attrib: dict[str, str]) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        elif tag not in _INLINE:
            self.pieces.append(" ")

    def end(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()
        elif tag not in _INLINE:
            self.pieces.append(" ")

    def data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)

    def comment(self, text: str) -> None:
        """Leave comments out."""

    def close(self) -> str:
        return "".join(self.pieces)


def html_text(value: str, limit: int) -> str:
    """Return the text of `value`, which may be HTML, escaped HTML or plain text, in at most `limit` characters.

    Text that is still markup after a pass is taken through another one, up to a bound, so that HTML that was escaped
    twice does not come out as tags.
    """
    value = value[:MAX_MARKUP]
    for _ in range(_PASSES):
        if not _MARKUP.search(value):
            break
        reduced = _one_pass(value)
        if reduced == value:
            break
        value = reduced
    return plain(value[: limit + 1000])[:limit].rstrip()


def _one_pass(value: str) -> str:
    target = _Text()
    # The wrapper keeps leading text and a bare fragment where they are.
    parser = etree.HTMLParser(target=target, huge_tree=True, recover=True, no_network=True)
    parser.feed("<html><body><div>" + _NOT_XML.sub(" ", value) + "</div></body></html>")
    return str(parser.close())
