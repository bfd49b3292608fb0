"""What speaks for and against an event of either kind: whose country it is, how old, whether told as real.

The weights are added to those of the trigger (`cue_rules.py`).
"""

from __future__ import annotations

from transforms.detect.cues_around import Around
from transforms.detect.facts import COVERED, OLD_DAYS
from transforms.detect.spans import CountryHit
from transforms.detect.view import Features
from transforms.model import Realis

_NEWS_DAYS = 7
_THEATRE = 0.6  # a country's word of this weight speaks for events there; powers that act abroad weigh less
_OWNER = 1.0  # and of this weight, for a town of the same name as one here
_ADJOINING = 12  # characters between a town and the country that it is said to lie in
_NAMED = frozenset({"name", "place"})
_LOCATIVE_SUFFIXES = ("da", "de", "ta", "te")  # Turkish: Berlin'de


def whereabouts(around: Around) -> Features:
    """Weigh whether the act is told of Syria or Libya rather than of another country."""
    view, c = around.view, around.candidate
    marks: Features = {}
    at = view.reading.words[c.first].start
    hits = around.all.hits[around.sentence]
    abroad = [h for h in hits if h.country not in COVERED]
    foreign = [h for h in abroad if h.weight >= _THEATRE]
    here: list[int] = []
    within = [h for h in abroad if h.kind in _NAMED and _stands_within(around, h)]
    there = [abs(h.start - at) for h in abroad if h in within or (h.kind in _NAMED and h in foreign)]
    for hit in hits:
        if hit.country not in COVERED:
            continue
        owned = hit.kind == "place" and any(_owns(around, f, hit) for f in abroad)
        (there if owned else here).append(abs(hit.start - at))
    if here and there:
        nearer = min(there) < min(here) and (within or around.candidate.family == "ceasefire")
        marks["r.also_elsewhere"] = -0.35 if nearer else -0.1
    elif there:
        marks["r.elsewhere"] = -0.6
    elif not here:
        marks["r.country_from_item"] = _from_item(around) - (0.25 if any(h.kind in _NAMED for h in abroad) else 0.0)
    if "sport_trade" in around.cues:
        marks["r.sport_or_trade"] = -0.3
    return marks


def _owns(around: Around, country: CountryHit, place: CountryHit) -> bool:
    """Return whether a town is said to lie in another country: "Lebanon's Tripoli", "Tripoli (Lebanon)"."""
    if country.weight < _OWNER:
        return False
    text = around.view.reading.text
    if country.end <= place.start:
        between = text[country.end : place.start]
        return len(between) <= _ADJOINING and (country.kind == "demonym" or around.verb_last) and "," not in between
    between = text[place.end : country.start]
    return len(between) <= _ADJOINING and between.strip() != ","


def _stands_within(around: Around, hit: CountryHit) -> bool:
    """Return whether an act is told to be in a power that acts abroad: "an attack in Berlin", not "Berlin said"."""
    if around.candidate.family == "ceasefire":  # talks are held anywhere
        return False
    words, c = around.view.reading.words, around.candidate
    at = next((i for i in range(c.sentence.first, c.sentence.last) if words[i].end > hit.start), None)
    if at is None:
        return False
    if around.verb_last:
        return words[at].lemma.partition("'")[2].startswith(_LOCATIVE_SUFFIXES)
    return any(cue.last in {at, at + 1} for cue in around.cues.get("inside", ()))


def _from_item(around: Around) -> float:
    """Weigh a country that only other sentences tell."""
    facts = around.view.facts
    if facts.country.elsewhere >= max(facts.country.score(code) for code in COVERED):
        return -0.6
    # A headline leans on its lead; the others on the headline and on the sentence before.
    told = {0, max(around.sentence - 1, 0), 1 if around.sentence == 0 else 0}
    spoken = any(hit.country in COVERED for index in told for hit in around.all.hits[index])
    if around.sentence == 0 and spoken:
        return 0.0
    return -0.1 if spoken else -0.35


def _days_off(around: Around) -> list[tuple[int, int]]:
    """Return, for each day told in the sentence, how far it stands from the trigger and its age in days."""
    view, c = around.view, around.candidate
    published = view.reading.article.published.date()
    start, end = view.reading.words[c.first].start, view.reading.words[c.last - 1].end
    skipped = {"dateline", "duration"} if c.family == "ceasefire" else {"dateline", "duration", "since"}
    return [
        # A truce in force since an old day is no news.
        (max(d.start - end, start - d.end, 0), (published - (d.span.start if d.kind == "since" else d.span.end)).days)
        for d in around.all.dates[around.sentence]
        if d.kind not in skipped
    ]


def _old(around: Around) -> bool:
    """Return whether the day told nearest to the trigger is more than 30 days before publication."""
    days = _days_off(around)
    return bool(days) and min(days)[1] > OLD_DAYS


def fresh(around: Around) -> bool:
    """Return whether a day of the last or next week is told in the sentence."""
    return any(abs(age) <= _NEWS_DAYS for _, age in _days_off(around))


def placed(around: Around) -> bool:
    """Return whether the sentence names a place in the two countries."""
    return any(p.place.kind != "country" for p in around.all.places[around.sentence])


def unreal(around: Around) -> Realis | None:
    """Return as what the trigger is told where it is not told as real."""
    if around.governs("deny", 8):
        return Realis.DENIED
    negated = (
        around.near("negation", before=-1, after=4)
        if around.verb_last
        else around.near("negation", before=1, after=-1) or around.near("negation_after", before=-1, after=4)
    )
    if negated:
        return Realis.NEGATED
    if around.near("hypothetical", before=7, after=2) if around.verb_last else around.governs("hypothetical", 7):
        return Realis.HYPOTHETICAL
    if around.governs("threat", 5):
        return Realis.HYPOTHETICAL
    return Realis.BACKGROUND if _old(around) else None


def to_come(around: Around) -> bool:
    """Return whether a day after publication is told in the sentence."""
    return any(age < 0 for _, age in _days_off(around))
