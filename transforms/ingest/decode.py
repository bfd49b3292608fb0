"""Content-Encoding undone under a cap: gzip, deflate and brotli, in memory that never exceeds the cap by much.

Runs in a worker process, so that the parent never holds more than the bytes as they were sent.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from transforms.failures import ParseError

MAX_CODINGS = 2  # more than one is rare, more than two is an attack
_STEP = 256 * 1024
_GZIP_MAGIC = b"\x1f\x8b"


def decoded(body: bytes, content_encoding: str, cap: int) -> tuple[bytes, tuple[str, ...]]:
    """Return `body` with its codings undone, and warnings on what was odd about it.

    Args:
        body: The bytes as sent.
        content_encoding: The header, such as "gzip" or "br"; several codings are undone last first.
        cap: Most bytes allowed at any step.

    Raises:
        ParseError: kind "too_large", "cut_short", "bad_encoding" or "unknown_encoding".
    """
    codings = [c.strip().lower() for c in content_encoding.split(",")]
    codings = [c for c in codings if c not in ("", "identity", "none")]
    if len(codings) > MAX_CODINGS:
        raise ParseError("unknown_encoding", f"the body is encoded {len(codings)} times over: {content_encoding[:80]}")
    warnings: list[str] = []
    for coding in reversed(codings):
        undo = _CODINGS.get(coding)
        if undo is None:
            raise ParseError("unknown_encoding", f"Content-Encoding {coding[:40]!r} was not asked for")
        body = undo(body, cap, warnings)
    if len(body) > cap:
        raise _too_large(cap)
    return body, tuple(warnings)


def _gzip(body: bytes, cap: int, warnings: list[str]) -> bytes:
    if not body.startswith(_GZIP_MAGIC):
        warnings.append("not_gzip: the body was sent as gzip but is not")
        return body
    out = bytearray()
    while body:
        member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        body = _inflate(member, body, out, cap)
        if body and not body.startswith(_GZIP_MAGIC):
            warnings.append("garbage_tail: bytes after the end of the gzip stream were left out")
            break
    if out.startswith(_GZIP_MAGIC):
        # A cache compressed what was compressed already; no feed begins like this.
        warnings.append("gzip_twice: the body was compressed twice")
        inner = bytearray()
        _inflate(zlib.decompressobj(wbits=16 + zlib.MAX_WBITS), bytes(out), inner, cap)
        return bytes(inner)
    return bytes(out)


def _deflate(body: bytes, cap: int, warnings: list[str]) -> bytes:
    out = bytearray()
    # The standard means zlib's format; some servers send the bare stream.
    zlib_format = len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    rest = _inflate(zlib.decompressobj(wbits=zlib.MAX_WBITS if zlib_format else -zlib.MAX_WBITS), body, out, cap)
    if rest:
        warnings.append("garbage_tail: bytes after the end of the deflate stream were left out")
    return bytes(out)


def _inflate(stream: zlib._Decompress, body: bytes, out: bytearray, cap: int) -> bytes:
    """Append what `body` inflates to, and return the bytes after the end of the stream."""
    pending = body
    while not stream.eof:
        before = len(out)
        try:
            out += stream.decompress(pending, _STEP)
        except zlib.error as error:
            raise ParseError("bad_encoding", f"the compressed body is broken: {error}") from error
        if len(out) > cap:
            raise _too_large(cap)
        pending = stream.unconsumed_tail
        if not stream.eof and not pending and len(out) == before:
            raise _cut_short()
    return stream.unused_data


def _brotli(body: bytes, cap: int, warnings: list[str]) -> bytes:
    import brotli

    stream = brotli.Decompressor()
    out = bytearray()
    pending = body
    while not stream.is_finished():
        try:
            piece = stream.process(pending, output_buffer_limit=_STEP)
        except brotli.error as error:
            raise ParseError("bad_encoding", f"the compressed body is broken: {error}") from error
        pending = b""
        out += piece
        if len(out) > cap:
            raise _too_large(cap)
        if not piece and not stream.is_finished():
            raise _cut_short()
    return bytes(out)


_CODINGS: dict[str, Callable[[bytes, int, list[str]], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
}


def _too_large(cap: int) -> ParseError:
    return ParseError(
        "too_large", f"the body is larger than {cap} bytes; raise [fetch] max_body_bytes if that is right"
    )


def _cut_short() -> ParseError:
    return ParseError("cut_short", "the compressed body ends before its end: it was cut short on the way")
