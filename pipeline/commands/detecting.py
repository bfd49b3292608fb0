"""Commands that look at single texts: detect, explain."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.commands.running import ConfigOption, StoreOption, configured
from pipeline.console import OK, PARTIAL, clock_of, command, config_path, err, fail, out, write_json

_BATCH = 256  # items read before any is parsed: enough for the parser's batches, little memory


def register(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(detect)
    app.command()(explain)


@command
def detect(
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is denied, hypothetical or background, with its `realis`.")
    ] = False,
) -> None:
    """Read items as JSON lines on stdin, write their events as JSON lines on stdout.

    An item is {"id", "lang"?, "outlet"?, "published", "title", "summary", "text"?}.

    Example: trucewatch detect < items.jsonl > events.jsonl
    """
    from transforms.detect.detector import is_news, load_detector
    from transforms.detect.output import article_of_item, event_json

    detector = load_detector()
    bad = 0
    for rows in _batches(sys.stdin.buffer, _BATCH):
        articles = []
        for number, row in rows:
            try:
                articles.append(article_of_item(_item(row)))
            except (ValueError, TypeError, KeyError) as error:
                bad += 1
                err.print(
                    f"line {number}: not an item, left out: {error}", style="yellow", markup=False, highlight=False
                )
        for article, mentions in zip(articles, detector.detect(articles), strict=True):
            told = [event_json(m) for m in mentions if everything or is_news(m)]
            write_json({"id": article.item_id, "events": told})
    sys.stdout.flush()
    raise typer.Exit(PARTIAL if bad else OK)


def _item(row: bytes) -> dict[str, Any]:
    item = jsonlib.loads(row)
    if not isinstance(item, dict):
        raise TypeError(f"expected a JSON object, found {type(item).__name__}")
    return item


def _batches(lines: Iterable[bytes], size: int) -> Iterator[list[tuple[int, bytes]]]:
    rows = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    while batch := list(islice(rows, size)):
        yield batch


@command
def explain(
    what: Annotated[str, typer.Argument(help="A text, the URL of a page, or the id of an item in the store.")],
    published: Annotated[
        str | None, typer.Option("--published", help="Day of publication, for relative dates.")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="en, ar, fr, tr or ru; detected where not given.")] = "",
    html: Annotated[Path | None, typer.Option("--html", help="Write the explanation to this file as HTML.")] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Show why a text does or does not tell of an event: spans, rule, and what was rejected.

    Example: trucewatch explain "Shelling hit Saraqib on Monday despite the truce." --published 2020-02-04
    """
    from pipeline.texts import article_to_explain
    from transforms.detect.explain import explain as explained

    loaded = configured(config) if config_path(config).exists() else None
    store_url = store or (loaded.store if loaded else None)
    article = article_to_explain(
        what, clock_of(published), lang=lang, store_url=store_url, fetch=loaded.fetch if loaded else None
    )
    explanation = explained(article)
    if html:
        try:
            html.write_text(explanation.html(), "utf-8")
        except OSError as error:
            fail(f"{html}: cannot be written: {error}")
        err.print(f"Wrote {html}")
    elif json:
        write_json(explanation)
    else:
        out.print(explanation.rich(), highlight=False)
