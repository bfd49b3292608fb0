"""Killed anywhere between reading and delivery: nothing lost, nothing told twice where that is promised.

By default some random moments are tried for each sink; with TRUCEWATCH_THOROUGH=1, as in CI, 100.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.store.store import Store
from tests.pipeline.store.killed_delivery import POINTS
from tests.transforms.sinks.emulator import running_emulator
from tests.transforms.sinks.receiver import Answer, Receiver, receiving
from tests.transforms.sinks.test_email import Mailbox, mailbox  # noqa: F401 - a fixture

pytestmark = pytest.mark.timeout(1260)  # of a machine that does much else; one that is free needs a tenth
ROOT = Path(__file__).resolve().parents[3]


THOROUGH = bool(os.environ.get("TRUCEWATCH_THOROUGH"))


def moments(usual: int) -> int:
    return 100 if THOROUGH else usual


def killed(folder: Path, **plan: Any) -> dict[str, Any]:
    """Carry out a plan in a process of its own, which forks the runs that are killed."""
    path = folder / "plan.json"
    path.write_text(json.dumps({"mutant": "none", "points": [], "moments": 0} | plan), "utf-8")
    answer = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.store.killed_delivery", str(path)],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=1200,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-3000:]
    found: dict[str, Any] = json.loads(answer.stdout)
    assert found["killed"] >= len(found["hit"])
    return found


def file_sinks(folder: Path, *kinds: str) -> list[dict[str, Any]]:
    every: dict[str, dict[str, Any]] = {
        "jsonl": {"path": str(folder / "a.jsonl")},
        "atom": {"path": str(folder / "a.atom"), "keep": 100_000},
        "geojson": {"path": str(folder / "a.geojson")},
        "csv": {"path": str(folder / "a.csv")},
        "cap": {"directory": str(folder / "cap")},
    }
    return [{"kind": kind, **settings} for kind, settings in every.items() if kind in kinds or not kinds]


def nothing(found: dict[str, Any], *names: str) -> bool:
    return not any(count for name in names for count in found[name].values())


def test_at_every_named_point_with_every_file(url: str, tmp_path: Path) -> None:
    points = list(POINTS)
    if url.startswith("postgresql") and not THOROUGH:  # those inside files are the same whatever the database
        points = [point for point in points if "commit" in point or point.startswith("relay: ")]
    found = killed(tmp_path, url=url, points=points, sinks=file_sinks(tmp_path))
    assert found["hit"] == points
    assert nothing(found, "lost", "doubled", "strange", "waiting"), found


def test_at_random_moments(url: str, tmp_path: Path) -> None:
    found = killed(
        tmp_path,
        url=url,
        moments=moments(25 if url.startswith("sqlite") else 10),
        sinks=file_sinks(tmp_path, "jsonl", "geojson"),
    )
    assert found["killed"] >= found["items"] // 12
    assert nothing(found, "lost", "doubled", "strange", "waiting"), found


@pytest.mark.parametrize(
    ("mutant", "point", "wrong"),
    [
        ("mark seen first", "between", ("lost", "store")),
        ("settle first", "between", ("lost", "jsonl")),
        ("append blindly", "relay: delivered, not settled", ("doubled", "jsonl")),
    ],
)
def test_the_mistakes_it_must_catch_are_caught(mutant: str, point: str, wrong: tuple[str, str], tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/store.sqlite"
    sinks = file_sinks(tmp_path, "jsonl")
    found = killed(tmp_path, url=address, points=[point], sinks=sinks, mutant=mutant)
    assert found[wrong[0]][wrong[1]] > 0, found


def test_a_mutant_that_marks_before_it_writes_is_caught_at_random_moments_too(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/store.sqlite"
    found = killed(tmp_path, url=address, moments=15, sinks=file_sinks(tmp_path, "jsonl"), mutant="mark seen first")
    assert found["lost"]["store"] > 0, found


# At least once, with one id: what a receiver elsewhere has had

DELIVERY_POINTS = ["before the relay", "relay: delivered, not settled", "relay: settled", "after the commit"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        running.answer = lambda number: Answer(500 if number % 5 == 4 else 204)  # and it fails now and then
        yield running


def ids_held(address: str) -> set[str]:
    with Store.open(address) as store:
        return {each.alert_id for each in store.alerts()}


def test_webhooks_repeat_with_one_id_and_one_body(url: str, receiver: Receiver, tmp_path: Path) -> None:
    address = url
    sinks = [{"kind": "webhook", "url": receiver.url, "allow_private_networks": True}]
    secret = {"TRUCEWATCH_WEBHOOK_SECRETS": "whsec_dHJ1Y2V3YXRjaC10cnVjZXdhdGNo"}
    found = killed(
        tmp_path, url=address, points=DELIVERY_POINTS, moments=moments(8), sinks=sinks, environ=secret
    )  # fmt: skip
    assert nothing(found, "lost", "doubled", "strange"), found
    had = {number: each for number, each in enumerate(receiver.received) if number % 5 != 4}
    bodies: dict[str, set[bytes]] = {}
    for each in had.values():
        bodies.setdefault(each.headers["webhook-id"], set()).add(each.body)
    waiting = {row.alert_id for row in _waiting(address)}
    assert ids_held(address) == bodies.keys() | waiting
    assert len(waiting) <= 3  # the last answers of 500; due a second later
    assert all(len(same) == 1 for same in bodies.values())


def _waiting(address: str) -> list[Any]:
    with Store.open(address) as store:
        return store.outbox.rows(status="waiting")


def test_pubsub_repeats_with_one_id(url: str, tmp_path: Path) -> None:
    address = url
    with running_emulator():
        from pipeline.pubsub import FileOutput, setup, subscribe

        setup("tw-killed", "alerts")
        found = killed(
            tmp_path, url=address, points=DELIVERY_POINTS, moments=moments(6),
            sinks=[{"kind": "pubsub", "project": "tw-killed", "topic": "alerts"}],
        )  # fmt: skip
        assert nothing(found, "lost", "doubled", "strange", "waiting"), found
        report = subscribe("tw-killed", "alerts-all", FileOutput(tmp_path / "told.jsonl"), idle_s=10)
    told = [json.loads(line)["id"] for line in (tmp_path / "told.jsonl").read_text("utf-8").splitlines()]
    assert Counter(told) == Counter(ids_held(address))
    assert report.told == found["items"]


def test_mail_repeats_with_one_message_id(url: str, mailbox: Mailbox, tmp_path: Path) -> None:  # noqa: F811
    address = url
    sinks = [
        {
            "kind": "email", "host": "127.0.0.1", "port": mailbox.port, "security": "none",
            "sender": "alerts@watch.example", "recipients": ["desk@agency.example"],
        }
    ]  # fmt: skip
    found = killed(tmp_path, url=address, points=DELIVERY_POINTS, moments=moments(6), sinks=sinks)
    assert nothing(found, "lost", "doubled", "strange", "waiting"), found
    bodies: dict[str, str] = {}
    for _, mail in mailbox.messages:
        body = mail.get_body(("plain",))
        assert body is not None
        assert bodies.setdefault(mail["Message-ID"], body.get_content()) == body.get_content()
    everything = "\n".join(bodies.values())
    assert all(f"Village{n:05d}" in everything for n in range(found["items"]))
