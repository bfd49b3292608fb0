"""Invented news, as much as one likes: item number n of a seed is always the same, whoever makes it.

Three in a hundred items tell of an act or of a step of a ceasefire in Syria or Libya, each event in about five of them;
the others are everything else that feeds carry, a few with words of war or names of the two countries.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from transforms.model import Article

START = datetime(2026, 3, 2, tzinfo=UTC)
PER_DAY = 1_000_000
SHARE = 0.03
_BUCKET = 2_000  # items among which the tellings of an event are spread
_EVENTS = 12  # in a bucket: 60 tellings of 12 events

_TOWNS = {
    "SY": (
        "Idlib",
        "Saraqib",
        "Maarat al-Numan",
        "Afrin",
        "Al-Bab",
        "Manbij",
        "Tell Rifaat",
        "Douma",
        "Daraa",
        "Nawa",
        "Khan Shaykhun",
        "Hama",
        "Homs",
        "Palmyra",
        "Raqqa",
        "Deir ez-Zor",
        "Hasakah",
        "Qamishli",
        "Kobani",
        "Latakia",
    ),
    "LY": ("Tripoli", "Misrata", "Sirte", "Benghazi", "Derna", "Zawiya", "Sabha", "Ajdabiya", "Tarhuna", "Gharyan"),
}
_SIDES = {
    "SY": ("government forces", "the Syrian Democratic Forces", "Turkish-backed rebels", "Russian jets"),
    "LY": ("the Libyan National Army", "forces of the Government of National Unity", "an armed group from Zawiya"),
}
_ACTS = (
    "{n} people were killed when {side} shelled {town} on {day}",
    "An air strike by {side} on {town} killed {n} civilians on {day}",
    "Clashes between {side} and gunmen near {town} on {day} left {n} dead despite the ceasefire",
    "{side} broke the ceasefire in {town} on {day}, firing rockets that killed {n} people",
    "A drone strike near {town} on {day} killed {n} people, residents said; {side} were blamed",
)
_STEPS = (
    "A ceasefire between {side} and local fighters in {town} took effect on {day}",
    "{side} and local fighters agreed on {day} to a truce in {town}",
    "The United Nations called on {day} for an immediate ceasefire in {town}",
    "Talks on a ceasefire in {town} between {side} and local fighters opened on {day}",
)
_LEADS = ("", "Residents: ", "Monitor: ", "Update: ", "Sources: ", "Officials: ")
_TAILS = (
    "Local doctors confirmed the report. The area has been tense for weeks.",
    "Residents described hearing several explosions during the night. Schools stayed closed.",
    "There was no comment from the other side. Aid groups said that roads were blocked.",
    "A spokesman gave no further details. The power supply was cut in several districts.",
)
_OTHER = (
    "Council of {town} votes on the new bus lines after a long debate",
    "Shares close higher as {town} exporters report a good quarter",
    "Coach of {town} praises young goalkeeper after narrow win in the cup",
    "Rain expected in {town} over the weekend, then milder",
    "Festival in {town} opens with a concert and a market of local crafts",
    "Study finds that hospitals in {town} treat more patients with fewer beds",
)
_NEAR = (
    "Exhibition in {town} shows photographs from Damascus before the war",
    "Court in {town} opens the trial of a man accused of a shooting in a bar",
    "Minister flies to Tripoli for talks on trade and fisheries",
    "Fire kills two in a warehouse in {town}; police look for the cause",
)
_ELSEWHERE = ("Lyon", "Porto", "Leeds", "Bergen", "Osaka", "Perth", "Quito", "Izmir", "Graz", "Turku", "Cork", "Gdansk")


@dataclass(frozen=True, slots=True)
class Event:
    """One invented event."""

    country: str
    text: str


def item(seed: int, number: int) -> Article:
    """Return item `number`: published in its turn of the day's million."""
    rng = random.Random(f"{seed}/{number}")
    published = published_at(number)
    relevant = rng.random() < SHARE
    if relevant:
        text = event(seed, number // _BUCKET, rng.randrange(_EVENTS)).text
        title = rng.choice(_LEADS) + text
        summary = f"{text}. {rng.choice(_TAILS)}"
    else:
        title = rng.choice(_NEAR if rng.random() < 0.03 else _OTHER).format(town=rng.choice(_ELSEWHERE))
        summary = f"{title}. Readers have sent in their views; more on this in the evening edition."
    outlet = rng.randrange(2_000)
    return Article(
        item_id=f"item-{seed}-{number}",
        feed=f"feed-{outlet}",
        outlet=f"Outlet {outlet}",
        url=f"https://outlet-{outlet}.example/{number}",
        lang="en",
        title=title,
        summary=summary,
        text="",
        published=published,
        fetched=due_at(number),
        content_hash=hashlib.sha256(f"{title}\n{summary}".encode()).hexdigest()[:16],
        owner=f"Owner {outlet}",
        country="GB",
    )


def event(seed: int, bucket: int, number: int) -> Event:
    """Return event `number` of a bucket."""
    rng = random.Random(f"{seed}/{bucket}/{number}")
    country = "SY" if rng.random() < 0.7 else "LY"
    form = rng.choice(_ACTS if rng.random() < 0.8 else _STEPS)
    day = published_at(bucket * _BUCKET).strftime("%A")
    text = form.format(
        n=rng.randint(2, 40), side=rng.choice(_SIDES[country]), town=rng.choice(_TOWNS[country]), day=day
    )
    return Event(country, text[0].upper() + text[1:])


def published_at(number: int) -> datetime:
    """Return when item `number` was published."""
    return START + timedelta(seconds=number * 86_400 / PER_DAY)


def due_at(number: int) -> datetime:
    """Return the tick, a whole minute, at which item `number` is polled."""
    at = published_at(number)
    return at.replace(second=0, microsecond=0) + timedelta(minutes=1)


class PackedItem:
    """Makes items on a worker, as the stream's polls hand them on."""

    def __init__(self, seed: int, count: int, workers: int) -> None:
        """Keep how the numbers are shared out: each worker counts through a part of its own, side by side in time."""
        self._seed, self._part, self._workers = seed, max(1, count // workers), workers

    def __call__(self, number: int) -> tuple[int, Any]:
        """Return (tick in microseconds, packed `PolledArticle`)."""
        from transforms.envelope import pack
        from transforms.ingest.polling import PolledArticle

        place = min(number // self._part, self._workers - 1)
        number = (number - place * self._part) * self._workers + place
        due = due_at(number)
        polled = PolledArticle(group=f"{number % 64}/64", due=due, article=item(self._seed, number))
        return int(due.timestamp()) * 1_000_000, pack(polled)
