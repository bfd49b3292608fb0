"""A server for the soak: any number of feeds on the addresses of 127.0.0.0/8, some slow, broken or bombs.

`python -m benchmarks.ingest.soak_server` prints its port. `/<n>` is feed n; what it is goes by its number. The body
changes when the edition does (`/edition/<n>`); in one edition a feed answers 304 to its ETag.
"""

from __future__ import annotations

import asyncio
import gzip

SLOW_S = 1.0
_BOMB = gzip.compress(bytes(60_000_000), 9)
edition = 1


def kind_of(n: int) -> str:
    """Return what feed `n` is: in a hundred feeds 5 are slow, 5 answer 503, 1 is a bomb, 89 are well."""
    place = n % 100
    return "slow" if place < 5 else "5xx" if place < 10 else "bomb" if place == 10 else "well"


def body_of(n: int) -> bytes:
    """Return the feed: ten items, the newest of this edition."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{n}-{i}</guid><title>Report {i} of outlet {n} on the truce</title>"
        f"<link>https://outlet{n}.example/{i}</link><description>Residents of district {i % 14} said that the truce"
        f" held for a day, although shots were heard near the eastern crossing. Report number {i}.</description>"
        f"<pubDate>Thu, 06 Oct 2016 {i % 24:02d}:00:00 +0000</pubDate></item>"
        for i in range(edition, edition + 10)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Outlet {n}</title>{items}</channel></rss>'.encode()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    global edition  # noqa: PLW0603 - one number for all connections
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ", 2)[1]
            if path.startswith("/edition/"):
                edition = int(path.rpartition("/")[2])
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                continue
            n = int(path[1:])
            kind = kind_of(n)
            if kind == "slow":
                await asyncio.sleep(SLOW_S)
            etag = f'"{n}-{edition}"'
            if kind == "5xx":
                writer.write(b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n")
            elif kind == "bomb":
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_BOMB) + _BOMB
                )
            elif f"if-none-match: {etag}" in head.lower():
                writer.write(b"HTTP/1.1 304 Same\r\n\r\n")
            else:
                body = body_of(n)
                writer.write(
                    f"HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Type: application/rss+xml\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Listen on every address of this machine's loopback network, on a port the system chooses."""
    server = await asyncio.start_server(serve, "0.0.0.0", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
