"""Every row of the table of what good readers do, against a server that does as the case says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.tables import cases
from tests.transforms.ingest.made import NOW, Stored, feed, open_settings, pull
from tests.transforms.ingest.scripted import ScriptedServer
from transforms.counters import imbalances
from transforms.ingest.parser_pool import ParserPool

_STATE = ("etag", "last_modified", "failures", "pulls", "muted", "last_error")
_CASES = cases("ingest_http")


@pytest.mark.parametrize("case", _CASES, ids=[case["name"] for case in _CASES])
def test_table(case: dict[str, Any], parsers: ParserPool) -> None:
    for replies in case["replies"].values():
        for reply in replies:
            if reply.get("headers", {}).get("ETag") == "LONG":
                reply["headers"]["ETag"] = f'"{"x" * 2000}"'
    with ScriptedServer(case["replies"]) as server:
        feeds = [feed(path, server.base + path) for path in case.get("feeds", ["/feed"])]
        settings = open_settings(**case.get("settings", {}))
        stored = Stored()
        for expected in case["pull"]:
            before = len(server.asked)
            result = pull(feeds, stored, settings, NOW + timedelta(minutes=expected["at"]), parsers=parsers)
            check(expected, result, server, before)


def check(expected: dict[str, Any], result: Any, server: ScriptedServer, before: int) -> None:
    first = result.pulls[0]
    told = f"{first.outcome} {first.kind} {first.message} {first.warnings}"
    assert not imbalances(result.counters, ["feeds", "ingest"])
    if "outcomes" in expected:
        assert [pulled.outcome for pulled in result.pulls] == expected["outcomes"], told
    else:
        assert first.outcome == expected["outcome"], told
    assert bool(result.failures) == any(pulled.outcome == "failed" for pulled in result.pulls)
    for key in ("kind", "items_new"):
        if key in expected:
            assert getattr(first, key) == expected[key], told
    for key in _STATE:
        if key in expected:
            actual = getattr(first.state, key)
            wanted = expected[key]
            assert (
                wanted in actual if isinstance(wanted, str) and wanted and key == "last_error" else actual == wanted
            ), told
    if "url" in expected:
        assert first.state.url == expected["url"].replace("{base}", server.base)
    if "warning" in expected:
        assert any(warning.startswith(expected["warning"]) for warning in first.warnings), told
    if "retry_after_min" in expected:
        now = first.state.last_attempt
        assert first.state.retry_at == now + timedelta(minutes=expected["retry_after_min"])
    if "asked" in expected:
        assert len(server.asked) == expected["asked"], server.paths()
    if "paths" in expected:
        assert server.paths()[before:] == expected["paths"]
    if "connections" in expected:
        assert server.connections == expected["connections"]
        assert server.most_at_once == 1
    for name, value in expected.get("sent", {}).items():
        actual = server.asked[-1].headers.get(name, "")
        assert value in actual if value else not actual, (name, actual)
