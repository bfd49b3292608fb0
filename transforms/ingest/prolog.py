"""What stands before a feed's root element, reduced to a declaration that no parser chokes on.

feedparser's patterns for the XML declaration and the DOCTYPE take cubic time on hostile input, and it obeys encodings
that are no character sets. So the parser is given: a declaration written here, a newline, the root element. All steps
take time linear in the size of the body.
"""

from __future__ import annotations

import codecs
import re

MAX_DECLARATION = 256
_ENCODING = re.compile(rb"encoding\s{0,8}=\s{0,8}[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_ROOT = re.compile(rb"<([A-Za-z_][A-Za-z0-9_.:-]{0,100})")
_MARKUP = re.compile(rb"<[A-Za-z_?!]")
_DOCTYPE_MARK = re.compile(rb"[\[\]>\"']|<!--")
_CLOSING = {b'"': b'"', b"'": b"'", b"<!--": b"-->"}
_SPACE = re.compile(rb"[\s\x00]*")
_CHARSET = re.compile(r"charset\s{0,4}=\s{0,4}[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)

# Codecs that map bytes to text and nothing else, by Python's own names. Left out on purpose: utf-7, punycode, idna,
# unicode_escape, undefined, the bytes-to-bytes ones, and iso-2022 (which hides ASCII behind escapes).
_SAFE = frozenset(
    """ascii utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be
    iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-10 iso8859-11
    iso8859-13 iso8859-14 iso8859-15 iso8859-16
    cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp437 cp720 cp737 cp775 cp850 cp852 cp855 cp856
    cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp1006 cp1125 koi8-r koi8-u koi8-t kz1048
    ptcp154 mac-roman mac-cyrillic mac-greek mac-iceland mac-latin2 mac-turkish mac-arabic mac-farsi hp-roman8 tis-620
    gb2312 gbk gb18030 big5 big5hkscs cp950 hz euc_jp euc_jis_2004 euc_jisx0213 shift_jis shift_jis_2004 shift_jisx0213
    cp932 euc_kr cp949 johab cp037 cp273 cp424 cp500 cp875 cp1026 cp1140""".split()  # noqa: SIM905 - a wall of quotes reads worse
)
# What a body in a language of the wars is most likely in, when it names no encoding and is not UTF-8.
_BY_LANGUAGE = {"ar": "windows-1256", "ru": "windows-1251", "tr": "windows-1254"}
_WIDE = (
    (codecs.BOM_UTF32_BE, "utf-32-be", True),
    (codecs.BOM_UTF32_LE, "utf-32-le", True),
    (codecs.BOM_UTF16_BE, "utf-16-be", True),
    (codecs.BOM_UTF16_LE, "utf-16-le", True),
    (b"\x4c\x6f\xa7\x94", "cp037", False),
    (b"\x00<\x00?", "utf-16-be", False),
    (b"<\x00?\x00", "utf-16-le", False),
    (b"\x00\x00\x00<", "utf-32-be", False),
    (b"<\x00\x00\x00", "utf-32-le", False),
)


def safe_encoding(name: str) -> str:
    """Return `name` if it is an encoding that may be used, else ""."""
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    return name if known in _SAFE else ""


def charset_of(content_type: str) -> str:
    """Return the charset that a Content-Type header names if it may be used, else ""."""
    named = _CHARSET.search(content_type[:400])
    return safe_encoding(named[1]) if named else ""


def root_name(body: bytes) -> str:
    """Return the name of the root element of a guarded body, "" if there is none."""
    found = _ROOT.search(body[: MAX_DECLARATION + 256])
    return found[1].decode("ascii") if found else ""


def guarded(body: bytes, charset: str = "", language: str = "") -> bytes:
    """Return `body` with its prolog reduced to one short declaration, or b"" where there is no element at all.

    Args:
        body: A decompressed body.
        charset: What the Content-Type header names, "" if nothing; used where the body's own word does not fit it.
        language: Of the feed; decides the encoding of last resort.
    """
    body, wide = _narrowed(body)
    declaration, root = _split(body)
    if root < 0:
        return b""
    named = _ENCODING.search(declaration)
    # utf-8 is not stated after narrowing: such a body's own word speaks of the wide form.
    declared = "" if wide or not named else safe_encoding(named[1].decode("ascii"))
    rest = body[root:]
    encoding = "" if wide else _fitting(rest, declared, charset, language)
    head = f"<?xml version='1.0' encoding='{encoding}'?>" if encoding else "<?xml version='1.0'?>"
    return head.encode("ascii") + b"\n" + rest


def _narrowed(body: bytes) -> tuple[bytes, bool]:
    """Return a body in UTF-16, UTF-32 or EBCDIC as UTF-8, and whether it was one."""
    if body.startswith(codecs.BOM_UTF8):
        return body[3:], False
    for mark, codec, is_bom in _WIDE:
        if body.startswith(mark):
            text = body[len(mark) if is_bom else 0 :].decode(codec, "replace")
            return text.encode("utf-8", "replace"), True
    return body, False


def _fitting(body: bytes, declared: str, charset: str, language: str) -> str:
    """Choose the encoding to state: the body's own word if it fits, then the header's, then the language's."""
    if declared and _fits(body, declared):
        single_byte = codecs.lookup(declared).name in ("iso8859-1", "cp1252")
        lies = single_byte and charset and codecs.lookup(charset).name == "utf-8" and not body.isascii()
        return charset if lies and _fits(body, charset) else declared
    if _fits(body, "utf-8"):
        return declared
    if charset and _fits(body, charset):
        return charset
    return _BY_LANGUAGE.get(language, declared)


def _fits(body: bytes, encoding: str) -> bool:
    try:
        body.decode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def _split(body: bytes) -> tuple[bytes, int]:
    """Return the XML declaration (b"" if none or too long) and where the root element starts, -1 if nowhere."""
    declaration = b""
    at = 0
    while True:
        space = _SPACE.match(body, at)
        at = space.end() if space else at
        if body.startswith(b"<?", at):
            end = body.find(b"?>", at)
            if end < 0:
                return declaration, _next_element(body, at + 2)
            if not declaration and body.startswith(b"<?xml", at) and end - at <= MAX_DECLARATION:
                declaration = body[at:end]
            at = end + 2
        elif body.startswith(b"<!--", at):
            end = body.find(b"-->", at + 4)
            if end < 0:
                return declaration, -1
            at = end + 3
        elif body.startswith(b"<!", at):
            at = _after_doctype(body, at)
        elif _ROOT.match(body, at):
            return declaration, at
        else:
            # Warnings of a web server and the like before the feed: on to the next markup.
            following = _MARKUP.search(body, at + 1)
            at = following.start() if following else -1
        if at < 0:
            return declaration, -1


def _next_element(body: bytes, at: int) -> int:
    found = _ROOT.search(body, at)
    return found.start() if found else -1


def _after_doctype(body: bytes, at: int) -> int:
    """Return where the DOCTYPE at `at` is over, its internal subset and quoted text skipped; -1 if it never is."""
    depth, here = 0, at + 2
    while mark := _DOCTYPE_MARK.search(body, here):
        sign, here = mark[0], mark.end()
        if sign == b"[":
            depth += 1
        elif sign == b"]":
            depth -= 1
        elif sign == b">":
            if depth <= 0:
                return here
        else:
            end = _CLOSING[sign]
            here = body.find(end, here) + len(end)
            if here < len(end):
                break
    # Quotes, comments or brackets that never close: the root is the next element all the same.
    return _next_element(body, at + 2)
