"""Slots of a candidate: where, when, how many, who and whom, taken from what the article says around the trigger."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from datetime import date

from transforms.detect.candidates import Candidate, Found
from transforms.detect.facts import Facts
from transforms.detect.reading import Reading, Word, ancestors
from transforms.detect.roles import Roles, Span, phrase_at, role_words, roles_of
from transforms.detect.spans import DateAt, TollAt
from transforms.model import DatePrecision, DateSpan, Party, Place

_TOLL_OF_A_WAR = 300
# "BEIRUT, Feb 11 (Agency) - ..." or "TRIPOLI/CAIRO - ...", where a text or a paragraph begins.
_BEFORE_A_DATELINE = re.compile(r"(?:^|[.!?:»”\"]|\n)\s*(?:[A-Z]{3,}\s*/\s*)?\Z")
_REST_OF_A_DATELINE = re.compile(r"(?:\s*[,/][^.()\n;:]{1,40})?(?:\s*\([^()\n]{2,40}\)\s*[-–—:]|\s+[-–—]{1,2})\s")
_FIGHTING = frozenset({"state", "force", "group", "alliance"})
_COUNTRIES = frozenset({"syria", "libya"})
_WHEN_OWN = {"absolute", "weekday", "range", "relative", "since", "duration"}


@dataclass(frozen=True, slots=True)
class Slots:
    """What is told of one candidate.

    Attributes:
        country: "SY", "LY" or "".
        places: As told, resolved.
        date: When; the day of publication (or dateline) where no day is told.
        dated: Whether a day is told for this act.
        killed, injured: None where not told.
        actors, targets: As told.
        source: Whose claim it is, or "".
    """

    country: str
    places: tuple[Place, ...] = ()
    date: DateSpan | None = None
    dated: bool = False
    killed: int | None = None
    injured: int | None = None
    actors: tuple[Party, ...] = ()
    targets: tuple[Party, ...] = ()
    source: Party | None = None


def fill(facts: Facts, candidate: Candidate, siblings: tuple[Candidate, ...]) -> Slots:
    """Return the slots of `candidate`.

    Args:
        facts: What the finders saw in the article.
        candidate: The trigger.
        siblings: All candidates of the article that tell an event; tolls and places go to the nearest of a sentence.
    """
    reading = facts.reading
    country = facts.country_at(candidate.sentence, candidate.first)
    rivals = [c for c in siblings if c.sentence.index == candidate.sentence.index and c is not candidate]
    roles = roles_of(reading, candidate) if reading.lang == "en" else Roles()
    when = _date(facts, candidate, rivals)
    killed, injured = _tolls(facts, candidate, rivals)
    return Slots(
        country=country,
        places=_places(facts, candidate, country, rivals),
        date=when.span if when else _day(facts.anchor),
        dated=when is not None,
        killed=killed,
        injured=injured,
        actors=_actors(facts, candidate, roles),
        targets=_parties(facts, roles.targets),
        source=next(iter(_parties(facts, (roles.source,))), None) if roles.source else None,
    )


def is_of_a_truce(facts: Facts, candidate: Candidate, found: Found, slots: Slots) -> bool:
    """Return whether the day told with an armed act is that of a truce: "breached the truce that began in May"."""
    if candidate.family != "armed":
        return False
    told = [
        d for d in facts.dates if d.span == slots.date and candidate.sentence.start <= d.start < candidate.sentence.end
    ]
    if candidate.trigger.id == "breach" or any(d.kind == "since" for d in told):
        return True
    truces = [c for c in found.candidates if c.family == "ceasefire" and c.sentence.index == candidate.sentence.index]
    return any(not _mine(facts.reading, candidate, truces, d.start, d.end) for d in told)


def undated(facts: Facts, slots: Slots) -> Slots:
    """Return `slots` without the day that was told, dated by the article instead."""
    return replace(slots, date=_day(facts.anchor), dated=False)


def _day(day: date) -> DateSpan:
    return DateSpan(start=day, end=day, precision=DatePrecision.DAY)


def _distance(reading: Reading, candidate: Candidate, start: int, end: int) -> float:
    """Return how far a span is from the trigger: characters, and as much again for each clause between."""
    key = ("far", candidate.first, candidate.last, start, end)  # asked again for each rival of each trigger
    if key not in reading.memo:
        reading.memo[key] = _measured(reading, candidate, start, end)
    return float(reading.memo[key])


def _measured(reading: Reading, candidate: Candidate, start: int, end: int) -> float:
    trigger_start, trigger_end = reading.words[candidate.first].start, reading.words[candidate.last - 1].end
    gap = max(0, start - trigger_end, trigger_start - end)
    between = reading.text[min(end, trigger_end) : max(start, trigger_start)]
    clauses = between.count(",") + between.count(";") + 2 * between.count(". ")
    tree = 0
    if reading.lang == "en":
        first, last = candidate.sentence.first, candidate.sentence.last
        word = bisect_left(reading.words, start, first, last, key=lambda one: one.start)
        if word < last:
            up = {c: step for step, c in enumerate([candidate.head, *ancestors(reading, candidate.head)])}
            tree = next((step + up[c] for step, c in enumerate([word, *ancestors(reading, word)]) if c in up), 8)
    return gap + 20 * clauses + 12 * tree


def _mine(reading: Reading, candidate: Candidate, rivals: list[Candidate], start: int, end: int) -> bool:
    """Return whether no rival trigger stands nearer to the span."""
    own = _distance(reading, candidate, start, end)
    return all(_distance(reading, rival, start, end) >= own - 1e-9 for rival in rivals)


def _date(facts: Facts, candidate: Candidate, rivals: list[Candidate]) -> DateAt | None:
    sentence = candidate.sentence
    after = [d for d in facts.dates if d.kind == "after" and _is_dated_after(facts.reading, candidate, d)]
    if after:
        return after[0]
    dates = [d for d in facts.dates if sentence.start <= d.start < sentence.end and d.kind in _WHEN_OWN]
    if candidate.family == "armed":
        dates = [d for d in dates if not _is_how_old_a_truce_is(facts.reading, candidate, d)]
    if candidate.family == "ceasefire":  # "a truce for four days" lasts so long; it did not happen in the last four
        dates = [d for d in dates if d.kind != "duration"]
    if not dates:
        return None
    return min(dates, key=lambda d: (_distance(facts.reading, candidate, d.start, d.end), d.start))


def _tolls(facts: Facts, candidate: Candidate, rivals: list[Candidate]) -> tuple[int | None, int | None]:
    if candidate.family == "ceasefire":
        return None, None
    armed = [r for r in rivals if r.family == "armed"]
    out: dict[str, int | None] = {"killed": None, "injured": None}
    sentence = candidate.sentence
    tolls = [t for t in facts.tolls if sentence.start <= t.start < sentence.end and not _of_the_war(t)]
    for kind in out:
        mine = [t for t in tolls if t.kind == kind and _mine(facts.reading, candidate, armed, t.start, t.end)]
        inside = [t for t in mine if _tells_a_toll_in_its_clause(facts.reading, candidate, t)]
        if mine:
            out[kind] = (inside or mine)[0].value
    return out["killed"], out["injured"]


def _tells_a_toll_in_its_clause(reading: Reading, candidate: Candidate, toll: TollAt) -> bool:
    """Return whether some word of a toll stands in the trigger's clause."""
    first, last = candidate.sentence.first, candidate.sentence.last
    clause = clause_of(reading, candidate.head)
    return any(
        clause_of(reading, i) == clause for i in range(first, last) if toll.start <= reading.words[i].start < toll.end
    )


def _of_the_war(toll: TollAt) -> bool:
    """Return whether a toll totals a long time; a small one is taken for the event's own all the same."""
    return toll.cumulative and (toll.value is None or toll.value >= _TOLL_OF_A_WAR)


def _places(facts: Facts, candidate: Candidate, country: str, rivals: list[Candidate]) -> tuple[Place, ...]:
    sentence = candidate.sentence
    inside = [
        p for p in facts.places
        if sentence.start <= p.start < sentence.end and p.place.kind != "country" and p.place.country in ("", country)
        and not _is_in_a_dateline(facts.reading.text, p.start, p.end) and not _stands_for_a_party(facts, p.start, p.end)
    ]  # fmt: skip
    telling = [p for p in inside if not p.container] or inside
    if candidate.family == "armed":
        telling = [p for p in telling if _in_its_clause(facts.reading, candidate, p.start)] or telling
    same = [r for r in rivals if r.family == candidate.family]
    mine = [p for p in telling if _mine(facts.reading, candidate, same, p.start, p.end)] or telling
    return tuple(dict.fromkeys(p.place for p in mine))


def _is_in_a_dateline(text: str, start: int, end: int) -> bool:
    """Return whether a place only says where a report was filed: "BEIRUT, Feb 11 (Agency) - ..."."""
    rest = _REST_OF_A_DATELINE.match(text, end)
    if not rest or not ("(" in rest[0] or text[start:end].isupper()):
        return False
    return _BEFORE_A_DATELINE.search(text[max(0, start - 40) : start]) is not None


def _stands_for_a_party(facts: Facts, start: int, end: int) -> bool:
    """Return whether a capital means its government: "Damascus and the rebels agree on a truce"."""
    return any(p.start == start and p.end == end for p in facts.parties)


def clause_of(reading: Reading, index: int) -> int:
    """Return the verb of the clause that a word stands in, the word at the top where there is none."""
    up = [index, *ancestors(reading, index)]
    return next((i for i in up if reading.words[i].pos == "VERB"), up[-1])


def _word_at(reading: Reading, candidate: Candidate, start: int) -> int | None:
    first, last = candidate.sentence.first, candidate.sentence.last
    at = bisect_right(reading.words, start, first, last, key=lambda one: one.end)
    return at if at < last else None


def _is_how_old_a_truce_is(reading: Reading, candidate: Candidate, told: DateAt) -> bool:
    """Return whether a date belongs to the truce that an act breaks: "in breach of a day-old ceasefire"."""
    words, inside = reading.words, range(candidate.sentence.first, candidate.sentence.last)
    of = [i for i in inside if told.start < words[i].end and words[i].start < told.end]
    above = {words[i].head for i in of} - set(of)
    return any(words[i].lemma in role_words()["truces"] and words[i].pos in {"NOUN", "PROPN"} for i in above)


def _is_dated_after(reading: Reading, candidate: Candidate, told: DateAt) -> bool:
    """Return whether a trigger stands in the clause that "a day after" leads: "hit it a day after shells fell"."""
    sentence, words = candidate.sentence, reading.words
    if not (sentence.start <= told.start and told.end <= words[candidate.head].start):
        return False
    clause = clause_of(reading, candidate.head)
    return any(
        words[i].head == clause and words[i].dep == "mark" and told.start < words[i].end <= told.end + 1
        for i in range(sentence.first, sentence.last)
    )


def _in_its_clause(reading: Reading, candidate: Candidate, start: int) -> bool:
    """Return whether a place is told in the clause of the act: "a day after children died in air strikes in Idlib"."""
    at = _word_at(reading, candidate, start)
    return at is not None and clause_of(reading, at) == clause_of(reading, candidate.head)


def _actors(facts: Facts, candidate: Candidate, roles: Roles) -> tuple[Party, ...]:
    """Return who did it: what the parse gives that can act, else the speaker, else the nearest party."""
    armed = candidate.family == "armed"
    named = _parties(facts, tuple(s for s in roles.actors if _can_act(facts, s, armed) and not _is_a_place(facts, s)))
    if named:
        return named
    sentence, words = candidate.sentence, facts.reading.words
    at = words[candidate.first].start
    hit = [(words[first].start, words[last - 1].end) for first, last in roles.targets]
    if armed and roles.source and _only_tells(facts, roles.source):
        hit.append((words[roles.source[0]].start, words[roles.source[1] - 1].end))
    inside = [
        p for p in facts.parties
        if sentence.start <= p.start < sentence.end
        and p.kind not in {"people", ""}
        and not any(start <= p.start < end for start, end in hit)
        and not (armed and _names_a_truce(facts.reading, _word_at(facts.reading, candidate, p.start)))
    ]  # fmt: skip
    by = [p for p in inside if p.start > at and armed and _told_as_doer(facts, p.start)]
    if by:
        return (by[0].party,)
    if candidate.family == "ceasefire" and roles.source and _can_act(facts, roles.source):
        return _parties(facts, (roles.source,))
    before = [
        p for p in inside
        if p.end <= at and (not armed or (p.kind in _FIGHTING and not _is_the_source(facts.reading.text, p.start)))
    ]  # fmt: skip
    if before and candidate.trigger.id != "breach":  # who speaks of breaches did not commit them
        return (before[-1].party,)
    return (_blamed(facts) or _in_the_trigger(facts, candidate)) if armed else ()


def _in_the_trigger(facts: Facts, candidate: Candidate) -> tuple[Party, ...]:
    """Return those whom the trigger itself names: "two suicide bombers attacked"."""
    named = [
        i for i in range(candidate.first, candidate.last) if facts.reading.words[i].lemma in role_words()["bodies"]
    ]
    return _parties(facts, ((candidate.first, named[-1] + 1),)) if named else ()


def _is_the_source(text: str, start: int) -> bool:
    """Return whether a party is whose word it is: "according to the army"."""
    return text[max(0, start - 30) : start].casefold().rstrip().removesuffix("the").rstrip().endswith("according to")


def _can_act(facts: Facts, span: Span, armed: bool = False) -> bool:
    """Return whether a phrase names someone: a known party, a body of people, or whatever has a name.

    Whom no list knows does not make war, and is more likely the one who tells of it.
    """
    words = facts.reading.words[span[0] : span[1]]
    if words[-1].lemma in role_words()["truces"]:
        return False  # "Syria ceasefire breached"
    if armed and _only_tells(facts, span):
        return False
    head = facts.reading.words[_head_of(facts.reading, span)]  # "Moscow's priority" is no one
    if any(p.start < head.end and head.start < p.end for p in facts.parties):
        return True
    if armed and head.dep == "nsubj" and head.lemma.lower() in _COUNTRIES:
        return True  # "Libya violates its own truce"
    return head.lemma in role_words()["bodies"] or (head.pos == "PROPN" and not armed)


def _head_of(reading: Reading, span: Span) -> int:
    """Return the word of a phrase that the others hang on."""
    first, last = span
    return next((i for i in range(first, last) if not first <= reading.words[i].head < last), last - 1)


def _names_a_truce(reading: Reading, index: int | None) -> bool:
    """Return whether a name only says which truce: "Syria ceasefire breached"."""
    if index is None or reading.words[index].dep != "compound":
        return False
    return reading.words[reading.words[index].head].lemma in role_words()["truces"]


def _only_tells(facts: Facts, span: Span) -> bool:
    """Return whether a phrase names those who report of a war and do not wage it."""
    return facts.reading.words[span[1] - 1].lemma in role_words()["tellers"]


def _is_a_place(facts: Facts, span: Span) -> bool:
    """Return whether a phrase is only the name of where it was: "Aleppo attack", "Syria blast"."""
    words = facts.reading.words[span[0] : span[1]]
    start, end = words[0].start, words[-1].end
    if words[-1].dep in {"nsubj", "pobj", "dobj", "conj"}:  # "Damascus has agreed", "accused Damascus"
        return False
    if any(p.start < end and start < p.end for p in facts.parties) and words[-1].lemma not in _COUNTRIES:
        return False
    places = [(p.start, p.end) for p in facts.places]
    return any(s <= start and end <= e for s, e in places) or all(w.lemma in _COUNTRIES for w in words)


def _told_as_doer(facts: Facts, start: int) -> bool:
    """Return whether a name is led in by "by" or "from"."""
    before = facts.reading.text[max(0, start - 12) : start].casefold().split()
    return bool(before) and any(word in {"by", "from"} for word in before[-2:])


def _blamed(facts: Facts) -> tuple[Party, ...]:
    """Return the party that the item says is responsible or is blamed, where an act is told without a perpetrator."""
    reading = facts.reading
    for word in reading.words:
        if word.lemma in role_words()["blame"]:
            sentence = next(s for s in reading.sentences if s.start <= word.start < s.end)
            near = [p for p in facts.parties if sentence.start <= p.start < sentence.end and p.kind in _FIGHTING]
            if near:
                after = [p for p in near if p.start > word.start and word.lemma in {"blame", "accuse"}]
                return ((after or near)[0].party,)
    return ()


def named_at(facts: Facts, candidate: Candidate, index: int) -> Party | None:
    """Return the party whose noun phrase stands around word `index` of the trigger's sentence."""
    span = phrase_at(facts.reading, candidate, index)
    return next(iter(_parties(facts, (span,))), None) if span else None


def _is_of_a_dateline(facts: Facts, word: Word) -> bool:
    """Return whether a word is part of a date or the time of a clock."""
    clock = ":" in word.text and word.text[0].isdigit()
    return clock or any(d.start <= word.start and word.end <= d.end for d in facts.dates)


def _parties(facts: Facts, spans: tuple[Span, ...]) -> tuple[Party, ...]:
    """Return the phrases as parties, by their normalised id where the words hold a known one."""
    out: list[Party] = []
    words = facts.reading.words
    for lead, last in spans:
        # "Sun Apr 10 2011 18:58:00 Rebel forces"
        first = next((i for i in range(lead, last - 1) if not _is_of_a_dateline(facts, words[i])), last - 1)
        start, end = words[first].start, words[last - 1].end
        text = facts.reading.text[start:end].strip(" '’\"“”,")
        if not text or len(text) > 120 or any(d.start <= start and end <= d.end for d in facts.dates):
            continue
        known = [p for p in facts.parties if (start <= p.start and p.end <= end) or (p.start <= start and end <= p.end)]
        out.append(Party(name=text, party_id=known[0].party.party_id if known else ""))
    return tuple(dict.fromkeys(out))
