"""Everything else that an article says: places, dates, tolls, parties and the country it tells of.

Read once per article; slots and features are drawn from it for each candidate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from transforms.detect.dates import find_dates
from transforms.detect.gazetteer import country_of
from transforms.detect.parties import find_parties
from transforms.detect.places import find_places, resolve_places
from transforms.detect.reading import Reading, Sentence
from transforms.detect.spans import CountryEvidence, CountryHit, DateAt, PartyAt, ResolvedPlace, TollAt
from transforms.detect.tolls import find_tolls

COVERED = ("SY", "LY")
OLD_DAYS = 30  # what lies further back than this is no news


@dataclass(frozen=True)
class Facts:
    """The finders' results for one reading, by position."""

    reading: Reading
    places: tuple[ResolvedPlace, ...]
    foreign: tuple[tuple[int, int, str], ...]
    dates: tuple[DateAt, ...]
    tolls: tuple[TollAt, ...]
    parties: tuple[PartyAt, ...]
    country: CountryEvidence

    def country_at(self, sentence: Sentence, word: int) -> str:
        """Return which of the two countries an act told at `word` of `sentence` concerns, "" if neither.

        The nearest word of the sentence that speaks for one of them decides; then the sentences before; then the item.
        """
        scores = self.sentence_scores[sentence.index]
        at = self.reading.words[word].start
        near = [
            hit for hit in self.country.hits if sentence.start <= hit.start < sentence.end and hit.country in COVERED
        ]
        if near:
            totals = {code: scores.get(code, 0.0) for code in COVERED}
            best = max(totals, key=lambda code: (totals[code], self.country.score(code)))
            other = COVERED[1 - COVERED.index(best)]
            if totals[other] and totals[other] >= 0.5 * totals[best]:
                return min(near, key=lambda hit: abs(hit.start - at)).country
            return best
        totals = {code: self.country.score(code) for code in COVERED}
        best = max(totals, key=lambda code: totals[code])
        if totals[best] <= 0:
            return ""
        if min(totals.values()) > 0:
            earlier = [hit for hit in self.country.hits if hit.country in COVERED and hit.start < at]
            if earlier:
                return earlier[-1].country
        return best

    @cached_property
    def anchor(self) -> date:
        """The article's own dateline, else its day of publication: the day of what is told without one."""
        own = next((d.span.start for d in self.dates if d.kind == "dateline"), None)
        return own or self.reading.article.published.date()

    @cached_property
    def sentence_scores(self) -> tuple[dict[str, float], ...]:
        """For each sentence, how strongly its words speak for each country."""
        rows: list[dict[str, float]] = [{} for _ in self.reading.sentences]
        hits = list(self.country.hits)
        at = 0
        for sentence, row in zip(self.reading.sentences, rows, strict=True):
            while at < len(hits) and hits[at].start < sentence.start:
                at += 1
            while at < len(hits) and hits[at].start < sentence.end:
                row[hits[at].country] = row.get(hits[at].country, 0.0) + hits[at].weight
                at += 1
        return tuple(rows)

    def features(self, sentence: Sentence, first: int, last: int) -> Iterator[tuple[str, float]]:
        """Yield the features of groups k, d and x for a trigger at `words[first:last]`."""
        country = self.country_at(sentence, first)
        yield from self._country_features(sentence, country, first)
        yield from self._date_features(sentence, first)
        inside = [p for p in self.places if sentence.start <= p.start < sentence.end]
        yield f"x.place={bool(inside)}", 1.0
        yield f"x.place.item={bool(self.places)}", 0.5
        tolls = [t for t in self.tolls if sentence.start <= t.start < sentence.end]
        yield f"x.toll={bool(tolls)}", 1.0
        if any(t.cumulative for t in tolls):
            yield "x.toll.cumulative", 1.0
        if any(t.value and t.value > 1000 for t in tolls):
            yield "x.toll.huge", 1.0
        parties = [p for p in self.parties if sentence.start <= p.start < sentence.end]
        yield f"x.parties={min(len(parties), 3)}", 1.0
        for party in parties:
            side = "before" if party.start < self.reading.words[first].start else "after"
            yield f"x.party.{party.kind}.{side}", 0.5
            if party.party.party_id:
                yield f"x.party={party.party.party_id}", 0.5
                yield f"x.party={party.party.party_id}.{side}", 0.5
            if party.country:
                yield f"x.party.country={party.country}", 0.5

    def _country_features(self, sentence: Sentence, country: str, first: int) -> Iterator[tuple[str, float]]:
        scores = self.sentence_scores[sentence.index]
        here = scores.get(country, 0.0) if country else 0.0
        elsewhere = max((v for code, v in scores.items() if code not in COVERED), default=0.0)
        item_here = self.country.score(country) if country else 0.0
        item_elsewhere = self.country.elsewhere
        yield f"k.country={bool(country)}", 1.0
        yield f"k.sentence={_size(here)}", 1.0
        yield f"k.sentence.elsewhere={_size(elsewhere)}", 1.0
        yield f"k.item={_size(item_here)}", 1.0
        yield f"k.item.elsewhere={_size(item_elsewhere)}", 1.0
        yield f"k.margin={_compare(item_here, item_elsewhere)}", 1.0
        yield f"k.sentence.margin={_compare(here, elsewhere)}", 1.0
        yield "k.share", item_here / (item_here + item_elsewhere + 1.0)
        yield f"k.best={self.country.best in COVERED}", 1.0
        at = self.reading.words[first].start
        hits = [h for h in self.country.hits if sentence.start <= h.start < sentence.end]
        if hits:
            nearest = min(hits, key=lambda hit: abs(hit.start - at))
            yield f"k.nearest={_code(nearest)}", 1.0
            after = [h for h in hits if h.start > at]
            if after:
                yield f"k.next={_code(after[0])}", 1.0
        for hit in hits:
            yield f"k.hit={_code(hit)}.{hit.kind}", 0.7
        for code, _ in self.country.scores[:3]:
            yield f"k.told={code}", 0.5

    def _date_features(self, sentence: Sentence, first: int) -> Iterator[tuple[str, float]]:
        published = self.anchor
        dates = [d for d in self.dates if sentence.start <= d.start < sentence.end]
        if not dates:
            yield "d.none", 1.0
        for found in dates:
            yield f"d.kind={found.kind}", 0.7
            yield f"d.{_age((published - found.span.end).days)}", 1.0
        at = self.reading.words[first].start
        told = [d for d in dates if d.kind not in {"dateline", "duration"}]
        if told:
            nearest = min(told, key=lambda d: max(d.start - at, at - d.end))
            yield f"d.mine={_age((published - nearest.span.end).days)}", 1.5
            yield f"d.mine.starts={_age((published - nearest.span.start).days)}", 1.0


def _age(days: int) -> str:
    if days < 0:
        return "future"
    return "fresh" if days <= 1 else "week" if days <= 7 else "month" if days <= OLD_DAYS else "old"


def _code(hit: CountryHit) -> str:
    return "here" if hit.country in COVERED else hit.country


def _size(score: float) -> str:
    return "0" if score <= 0 else "1" if score < 1.5 else "2" if score < 3 else "3"


def _compare(here: float, elsewhere: float) -> str:
    if here <= 0:
        return "none" if elsewhere <= 0 else "elsewhere"
    return "only" if elsewhere <= 0 else "more" if here > elsewhere else "even" if here == elsewhere else "less"


def read_facts(reading: Reading) -> Facts:
    """Return what the slot finders see in `reading`."""
    text, lang = reading.text, reading.lang
    evidence = country_of(text, lang, outlet_country=reading.article.country)
    spans = find_places(text, lang)
    return Facts(
        reading=reading,
        places=tuple(p for p in resolve_places(text, lang, spans, evidence)),
        foreign=tuple((s.start, s.end, s.foreign) for s in spans if s.foreign),
        dates=tuple(find_dates(text, lang, reading.article.published.date())),
        tolls=tuple(find_tolls(text, lang)),
        parties=tuple(find_parties(text, lang)),
        country=evidence,
    )
