"""Files: whole, valid by somebody else's rules, written once, and safe to open."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import capvalidator
import feedparser
import geojson
import pytest

from tests.transforms.sinks.made import NOW, alert, delivery, hostile, quote
from transforms.failures import ConfigError, SinkError
from transforms.model import Change, Codes, DatePrecision, DateSpan, Family, Realis, Stage, Toll
from transforms.sinks.acled_csv import COLUMNS, AcledCsvSink
from transforms.sinks.atom import AtomSink
from transforms.sinks.base import Sink
from transforms.sinks.cap import CAP, CapSink
from transforms.sinks.files import write_atomically
from transforms.sinks.geojson import GeoJsonSink
from transforms.sinks.jsonl import JsonlSink, ids_in
from transforms.sinks.settings import AtomSettings, CapSettings, CsvSettings, GeoJsonSettings, JsonlSettings

REVISIONS = [alert(1, 1), alert(1, 2), alert(2, 1), replace(alert(2, 2), change=Change.RETRACTED)]
MAKERS: dict[str, Callable[[Path], Sink]] = {
    "jsonl": lambda folder: JsonlSink(JsonlSettings(path=str(folder / "alerts.jsonl"))),
    "atom": lambda folder: AtomSink(AtomSettings(path=str(folder / "alerts.atom"))),
    "geojson": lambda folder: GeoJsonSink(GeoJsonSettings(path=str(folder / "alerts.geojson"))),
    "csv": lambda folder: AcledCsvSink(CsvSettings(path=str(folder / "alerts.csv"))),
    "cap": lambda folder: CapSink(CapSettings(directory=str(folder / "cap"))),
}
every_file = pytest.mark.parametrize("kind", MAKERS)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@every_file
def test_a_repeated_delivery_changes_nothing(kind: str, tmp_path: Path) -> None:
    MAKERS[kind](tmp_path).deliver(delivery(sink := MAKERS[kind](tmp_path), REVISIONS))
    before = contents(tmp_path)
    assert before
    assert sink.deliver(delivery(sink, REVISIONS)).delivered == tuple(each.alert_id for each in REVISIONS)
    assert contents(tmp_path) == before


@every_file
def test_hostile_words_stay_words(kind: str, tmp_path: Path) -> None:
    sink = MAKERS[kind](tmp_path)
    sink.deliver(delivery(sink, [hostile()]))
    for name, body in contents(tmp_path).items():
        text = body.decode("utf-8").replace("\r\n", "").replace("\n", "")
        assert text.isprintable(), name
        assert "javascript:" not in text
        if kind in ("atom", "cap"):
            assert "<script" not in text
            ET.fromstring(body)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, whom no permission stops."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


@every_file
def test_no_right_to_write_is_told_and_leaves_nothing(kind: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        sink = MAKERS[kind](folder)
        with as_nobody(), pytest.raises(SinkError, match="this user may not write there"):
            sink.deliver(delivery(sink, [alert()]))
        assert contents(folder) == {}
        folder.chmod(0o755)
        sink.deliver(delivery(sink, [alert()]))
        assert contents(folder)


@every_file
def test_a_full_disk_is_told_leaves_the_old_file_and_is_made_good(kind: str, tmp_path: Path) -> None:
    """The limit on a file's size stands in for the disk: the write stops in the middle."""
    sink = MAKERS[kind](tmp_path)
    first, many = [alert(1)], [alert(n, evidence=tuple(quote(k) for k in range(8))) for n in range(2, 30)]
    sink.deliver(delivery(sink, first))
    before = contents(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(len(body) for body in before.values())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 200, hard))
    try:
        with pytest.raises(SinkError, match="the file would exceed"):
            sink.deliver(delivery(sink, many, [*first, *many]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {name: contents(tmp_path)[name] for name in before} == before
    assert not list(tmp_path.rglob("*.part"))
    sink.deliver(delivery(sink, many, [*first, *many]))
    assert all(each.event_id.encode() in b"".join(contents(tmp_path).values()) for each in [*first, *many])


# JSON Lines


def lines(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("cut", [1, 20, 400, 1200])
def test_a_torn_last_line_is_mended(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    sink = JsonlSink(JsonlSettings(path=str(path)))
    sink.deliver(delivery(sink, [alert(1), alert(2)]))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    JsonlSink(JsonlSettings(path=str(path))).deliver(delivery(sink, [alert(2), alert(3)]))
    assert lines(path) == ["e000001.1", "e000002.1", "e000003.1"]


def test_ids_laid_out_by_another_tool_count(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"data": {}, "id": "e000001.1"}\nnot json\n[1]\n', encoding="utf-8")
    sink = JsonlSink(JsonlSettings(path=str(path)))
    sink.deliver(delivery(sink, [alert(1), alert(2)]))
    assert ids_in(path.read_bytes()) == {"e000001.1", "e000002.1"}
    assert path.read_text("utf-8").count("\n") == 4


@pytest.mark.parametrize("text", ["my notes", "# list\nitem", '{"a": 1}\nhalf a li'])
def test_another_file_is_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text, encoding="utf-8")
    sink = JsonlSink(JsonlSettings(path=str(path)))
    with pytest.raises(SinkError):
        sink.deliver(delivery(sink, [alert()]))
    assert path.read_text("utf-8") == text


def test_a_file_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    sink = JsonlSink(JsonlSettings(path=str(path)))
    sink.deliver(delivery(sink, [alert(1)]))
    path.rename(tmp_path / "old.jsonl")
    sink.deliver(delivery(sink, [alert(2)]))
    assert lines(path) == ["e000002.1"]


def test_a_file_that_another_process_writes_waits(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.touch()
    script = (
        f"import fcntl, sys\nfile = open({str(path)!r}, 'r+')\nfcntl.lockf(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1) as holder:
        assert holder.stdout and holder.stdin
        holder.stdout.readline()
        sink = JsonlSink(JsonlSettings(path=str(path)))
        with pytest.raises(SinkError, match="another process"):
            sink.deliver(delivery(sink, [alert()]))
        holder.stdin.close()


# Atom

ATOM_NS = "{http://www.w3.org/2005/Atom}"


def test_atom_is_read_by_feedparser_and_has_what_the_standard_asks(tmp_path: Path) -> None:
    path = tmp_path / "alerts.atom"
    sink = AtomSink(AtomSettings(path=str(path), authority="watch.example,2026", link="https://watch.example/a.atom"))
    sink.deliver(delivery(sink, [alert(3, evidence=(quote(3, quote="هدنة في حماة", lang="ar"),)), *REVISIONS]))
    read = feedparser.parse(path.read_bytes())
    assert not read.bozo
    assert read.version == "atom10"
    assert read.feed.id == "tag:watch.example,2026:alerts"
    assert [entry.id for entry in read.entries] == [f"tag:watch.example,2026:e00000{n}" for n in (2, 1, 3)]
    assert read.entries[0].title.startswith("Retracted: ")
    assert read.entries[1].updated == "2016-10-03T09:31:00Z"
    assert read.entries[1].where["coordinates"] == (36.75783, 35.13179)
    assert "هدنة في حماة" in read.entries[2].content[0].value
    root = ET.fromstring(path.read_bytes())
    for element in (root, *root.findall(f"{ATOM_NS}entry")):  # RFC 4287, 4.1.1 and 4.1.2
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM_NS}{name}")) == 1
        for name in ("updated", "published"):
            for stamp in element.findall(f"{ATOM_NS}{name}"):
                datetime.strptime(stamp.text or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert root.find(f"{ATOM_NS}author/{ATOM_NS}name") is not None
    ids = [entry.findtext(f"{ATOM_NS}id") for entry in root.findall(f"{ATOM_NS}entry")]
    assert len(ids) == len(set(ids))


def test_atom_without_alerts_is_a_feed(tmp_path: Path) -> None:
    sink = AtomSink(AtomSettings(path=str(tmp_path / "a.atom")))
    assert not feedparser.parse(sink.render([])).bozo


# GeoJSON


def test_geojson_is_valid_and_has_no_retracted_event(tmp_path: Path) -> None:
    sink = MAKERS["geojson"](tmp_path)
    nowhere = alert(4, places=())
    two = alert(5, places=(alert().places[0], replace(alert().places[0], label="Salamiyah", lon=37.05, lat=35.01)))
    sink.deliver(delivery(sink, [*REVISIONS, nowhere, two]))
    read = geojson.loads((tmp_path / "alerts.geojson").read_text("utf-8"))
    assert read.is_valid, read.errors()
    assert [each["id"] for each in read["features"]] == ["e000005", "e000004", "e000001"]
    assert read["features"][0]["geometry"]["type"] == "MultiPoint"
    assert read["features"][1]["geometry"] is None
    assert read["features"][2]["geometry"]["coordinates"] == [36.75783, 35.13179]
    assert all(each.geometry is None or geojson.loads(json.dumps(each.geometry)).is_valid for each in read["features"])


# CSV


def test_csv_has_acled_columns_an_hxl_row_and_blanks_for_what_is_unknown(tmp_path: Path) -> None:
    sink = MAKERS["csv"](tmp_path)
    month = DateSpan(start=NOW.date(), end=NOW.date(), precision=DatePrecision.MONTH)
    agreed = alert(
        6, family=Family.CEASEFIRE, stage=Stage.AGREED, means=None, killed=Toll(), places=(), date=month, country="LY",
        first_seen=NOW + timedelta(days=1), codes=Codes(acled="Strategic developments: Agreement"),
    )  # fmt: skip
    sink.deliver(delivery(sink, [*REVISIONS, agreed]))
    text = (tmp_path / "alerts.csv").read_bytes().decode("utf-8")
    header, hxl, first, second = csv.reader(io.StringIO(text, newline=""))
    assert header == list(COLUMNS)
    assert all(tag.startswith("#") for tag in hxl)
    shell = dict(zip(header, first, strict=True))
    assert (shell["event_id_cnty"], shell["event_type"], shell["sub_event_type"]) == (
        "e000001", "Explosions/Remote violence", "Shelling/artillery/missile attack",
    )  # fmt: skip
    assert (shell["fatalities"], shell["latitude"], shell["iso"], shell["time_precision"]) == (
        "3",
        "35.13179",
        "760",
        "1",
    )
    assert "not ACLED data" in shell["tags"]
    truce = dict(zip(header, second, strict=True))
    assert (truce["event_type"], truce["sub_event_type"], truce["fatalities"]) == (
        "Strategic developments",
        "Agreement",
        "",
    )
    assert (truce["location"], truce["country"], truce["time_precision"]) == ("", "Libya", "3")


def test_no_cell_of_the_table_is_a_formula(tmp_path: Path) -> None:
    sink = MAKERS["csv"](tmp_path)
    sink.deliver(delivery(sink, [hostile()]))
    rows = list(csv.reader(io.StringIO((tmp_path / "alerts.csv").read_text("utf-8"), newline="")))
    assert not [cell for row in rows[1:] for cell in row if cell.startswith(("=", "+", "-", "@"))]


# CAP


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Observed"),
        ({"independent_outlets": 1}, "Likely"),
        ({"certainty": Realis.ALLEGED}, "Possible"),
        ({"places": (), "date": None, "evidence": ()}, "Observed"),
    ],
)
def test_cap_is_valid_by_the_standard(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    sink = MAKERS["cap"](tmp_path)
    sink.deliver(delivery(sink, [alert(1, **changes)]))
    body = (tmp_path / "cap" / "e000001.1.xml").read_bytes()
    checked = capvalidator.check_schema(body)
    assert checked.passed, checked.message
    assert ET.fromstring(body).findtext(f"{{{CAP}}}info/{{{CAP}}}certainty") == words


def test_cap_of_hostile_words_is_valid(tmp_path: Path) -> None:
    sink = MAKERS["cap"](tmp_path)
    sink.deliver(delivery(sink, [hostile()]))
    assert capvalidator.check_schema((tmp_path / "cap" / "e000009.1.xml").read_bytes()).passed


def test_cap_updates_and_cancels_refer_to_all_before(tmp_path: Path) -> None:
    sink = CapSink(CapSettings(directory=str(tmp_path), sender="watch@example"))
    third = replace(alert(1, 3), change=Change.RETRACTED)
    sink.deliver(delivery(sink, [alert(1, 1), alert(1, 2), third]))
    kinds, references = [], []
    for revision in (1, 2, 3):
        root = ET.fromstring((tmp_path / f"e000001.{revision}.xml").read_bytes())
        kinds.append(root.findtext(f"{{{CAP}}}msgType"))
        references.append(root.findtext(f"{{{CAP}}}references"))
    assert kinds == ["Alert", "Update", "Cancel"]
    first = "watch@example,e000001.1,2016-10-03T09:30:00-00:00"
    assert references == [None, first, f"{first} watch@example,e000001.2,2016-10-03T09:31:00-00:00"]


def test_cap_sender_must_fit() -> None:
    with pytest.raises(ConfigError, match="sender"):
        CapSettings(directory="x", sender="two words")


# Replacing a file


def test_what_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    (tmp_path / ".a.txt.part").write_bytes(b"half")
    write_atomically(path, b"whole")
    assert contents(tmp_path) == {"a.txt": b"whole"}


def test_a_draft_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"keep")
    (tmp_path / ".a.txt.part").symlink_to(target)
    write_atomically(tmp_path / "a.txt", b"whole")
    assert target.read_bytes() == b"keep"
