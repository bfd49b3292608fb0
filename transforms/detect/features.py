"""What the judgement weighs of a candidate: named features, each readable in `explain`.

Names begin with their group: `t` trigger, `w` words by position, `s` words of the sentence, `i` words of the item,
`p` parse, `c` cues, `k` country, `d` date, `x` slots, `n` neighbours,
`v` truces of the item, `r` the rules over cues. Groups in `SHARED` mean the same in every language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from transforms.detect.candidates import Candidate, CueAt
from transforms.detect.cue_rules import judge_by_cues
from transforms.detect.reading import Word, ancestors, children
from transforms.detect.view import Features, View

SHARED = frozenset("tckdxnvr")
_CONTENT = {"NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM"}
_LINKS = {"ADP", "SCONJ", "VERB", "CCONJ", "AUX", "ADV"}
_TRUCE = {"ceasefire.word", "ceasefire.deescalation"}
_BESIDE = 4
_NEAR = 6
_DEPTH = 6


def features_of(view: View) -> Features:
    """Return the features of a candidate."""
    out: Features = {}
    for name, value in _all(view):
        out[name] = max(value, out.get(name, 0.0))
    return out


def _all(view: View) -> Iterator[tuple[str, float]]:
    yield from _trigger(view)
    yield from _window(view)
    yield from _bags(view)
    if view.reading.lang == "en":
        yield from _parse(view)
    yield from _cues(view)
    yield from _neighbours(view)
    yield from _slots(view)
    yield from _truces(view)
    yield from _rules(view)


def _trigger(view: View) -> Iterator[tuple[str, float]]:
    c = view.candidate
    yield f"t.id={c.trigger.id}", 2.0
    yield f"t.means={c.trigger.means}", 2.0
    yield f"w.form={c.form}", 1.0
    field = c.sentence.field
    yield f"t.field={field}", 1.0
    order = "first" if c.sentence.index == 0 else "second" if c.sentence.index == 1 else "later"
    yield f"t.order={order}", 1.0
    yield f"t.last={c.sentence.index == len(view.reading.sentences) - 1}", 0.5
    yield f"t.in_title={field == 'title'}+{c.trigger.id}", 0.5


def _window(view: View) -> Iterator[tuple[str, float]]:
    c, words = view.candidate, view.reading.words
    first, last = c.sentence.first, c.sentence.last
    for step in range(1, 4):
        before = c.first - step
        after = c.last + step - 1
        left = words[before].lemma if before >= first else "<s>"
        right = words[after].lemma if after < last else "</s>"
        yield f"w-{step}={left}", 1.0
        yield f"w+{step}={right}", 1.0
    near = [
        words[i].lemma
        for i in range(max(first, c.first - _NEAR), min(last, c.last + _NEAR))
        if not c.first <= i < c.last
    ]
    for lemma in near:
        yield f"w~{lemma}", 0.7
    left1 = words[c.first - 1].lemma if c.first > first else "<s>"
    left2 = words[c.first - 2].lemma if c.first - 1 > first else "<s>"
    yield f"w<{left2}_{left1}", 0.7
    right1 = words[c.last].lemma if c.last < last else "</s>"
    right2 = words[c.last + 1].lemma if c.last + 1 < last else "</s>"
    yield f"w>{right1}_{right2}", 0.7


def _bags(view: View) -> Iterator[tuple[str, float]]:
    c, reading = view.candidate, view.reading
    for word in reading.words[c.sentence.first : c.sentence.last]:
        if _content(word):
            yield f"s={word.lemma}", 0.5
    for word in reading.words:
        if _content(word):
            yield f"i={word.lemma}", 0.3
    for word in reading.words[: reading.sentences[0].last]:
        if _content(word):
            yield f"i1={word.lemma}", 0.3


def _content(word: Word) -> bool:
    return (word.pos in _CONTENT or (not word.pos and len(word.text) > 2)) and not word.text.isspace()


def _parse(view: View) -> Iterator[tuple[str, float]]:
    reading, c = view.reading, view.candidate
    words = reading.words
    first, last = c.sentence.first, c.sentence.last
    head = words[c.head]
    yield f"p.pos={head.pos}", 1.0
    yield f"p.tag={head.tag}", 1.0
    yield f"p.dep={head.dep}", 1.0
    yield f"p.dep={head.dep}+{c.trigger.id}", 1.0
    for child in children(reading, c.head, first, last):
        if words[child].dep != "punct" and not c.first <= child < c.last:
            yield f"p.child={words[child].dep}:{words[child].lemma}", 1.0
            yield f"p.childdep={words[child].dep}", 0.7
    chain = ancestors(reading, c.head)
    if chain:
        yield f"p.parent={words[chain[0]].lemma}", 1.0
        yield f"p.parent={head.dep}<{words[chain[0]].lemma}", 1.0
    for step, above in enumerate(chain[:_DEPTH]):
        yield f"p.above={words[above].lemma}", 1.0 if step < 3 else 0.5
        if words[above].dep in {"prep", "mark", "advcl", "relcl", "ccomp", "xcomp", "acl", "pcomp"}:
            yield f"p.path={words[above].dep}", 0.5
    path = "<".join([head.dep] + [words[i].dep for i in chain[:2]])
    yield f"p.path3={path}", 0.7
    verb = next((i for i in [c.head, *chain] if words[i].pos in {"VERB", "AUX"}), None)
    if verb is None:
        yield "p.verb=none", 1.0
        return
    yield f"p.verb={words[verb].lemma}", 1.0
    yield f"p.verbtag={words[verb].tag}", 1.0
    yield f"p.verb={words[verb].lemma}+{c.family}", 0.5
    lower = {words[i].dep: words[i].lemma for i in children(reading, verb, first, last)}
    for i in children(reading, verb, first, last):
        if words[i].dep in {"aux", "auxpass", "neg", "mark", "advmod", "prt", "npadvmod"}:
            yield f"p.verb.{words[i].dep}={words[i].lemma}", 1.0
        if words[i].dep in {"nsubj", "nsubjpass", "dobj", "agent"}:
            yield f"p.verb.{words[i].dep}={words[i].lemma}", 0.7
    if "neg" in lower:
        yield "p.negated", 1.0
    for above in [a for a in chain if a != verb]:
        if words[above].pos in {"VERB", "AUX"}:
            yield f"p.verb2={words[above].lemma}", 0.7
            break


def _cues(view: View) -> Iterator[tuple[str, float]]:
    reading, c = view.reading, view.candidate
    chain = set(ancestors(reading, c.head)[:_DEPTH]) if reading.lang == "en" else set()
    counts: Counter[str] = Counter()
    for cue in view.found.cues:
        counts[cue.name] += 1
        if not c.sentence.first <= cue.first < c.sentence.last or _inside(cue, c):
            continue
        side = "before" if cue.last <= c.first else "after"
        distance = c.first - cue.last if side == "before" else cue.first - c.last
        yield f"c.{cue.name}", 1.0
        yield f"c.{cue.name}.{side}", 0.7
        if distance <= 4:
            yield f"c.{cue.name}.{side}.near", 1.0
        if distance <= 1:
            yield f"c.{cue.name}.{side}.next", 1.0
        if any(i in chain for i in range(cue.first, cue.last)):
            yield f"c.{cue.name}.above", 1.0
        if reading.lang == "en" and any(reading.words[i].head == c.head for i in range(cue.first, cue.last)):
            yield f"c.{cue.name}.below", 1.0
    for name, count in counts.items():
        yield f"c.item.{name}", min(count, 4) / 4
    for name in ("elsewhere", "sport_trade", "opinion", "background", "hypothetical"):
        yield f"c.share.{name}", min(1.0, 12 * counts[name] / max(12, len(reading.words)))


def _inside(cue: CueAt, c: Candidate) -> bool:
    return c.first <= cue.first and cue.last <= c.last


def _neighbours(view: View) -> Iterator[tuple[str, float]]:
    c = view.candidate
    same = [o for o in view.found.candidates if o.family == c.family and o is not c]
    other = [o for o in view.found.candidates if o.family != c.family]
    yield f"n.same={min(len(same), 4)}", 0.7
    yield f"n.other={min(len(other), 4)}", 0.7
    yield f"n.first={not any(o.first < c.first for o in same)}", 0.7
    for o in view.found.candidates:
        if o is c:
            continue
        if o.sentence.index == c.sentence.index:
            side = "before" if o.first < c.first else "after"
            yield f"n.sentence.{o.trigger.id}", 0.7
            yield f"n.sentence.{o.family}.{side}", 0.7
        else:
            yield f"n.item.{o.trigger.id}", 0.4
        yield f"n.any.{o.family}", 0.7
    yield f"n.weak={c.trigger.weak}", 0.7
    earlier = [o for o in same if o.first < c.first and o.trigger.means == c.trigger.means]
    yield f"n.retold={bool(earlier)}", 0.7


def _slots(view: View) -> Iterator[tuple[str, float]]:
    yield from view.facts.features(view.candidate.sentence, view.candidate.first, view.candidate.last)


def _truces(view: View) -> Iterator[tuple[str, float]]:
    """Yield what is said of the truces of the item, for acts that may break one."""
    c, reading = view.candidate, view.reading
    truces = [o for o in view.found.candidates if o.trigger.id in _TRUCE and o is not c]
    yield f"v.truces={min(len(truces), 3)}", 1.0
    for truce in truces:
        gap = truce.sentence.index - c.sentence.index
        scope = "same" if gap == 0 else "next" if abs(gap) == 1 else "far"
        yield f"v.{scope}", 1.0
        yield f"v.{scope}.{truce.trigger.id}", 0.7
        if gap == 0:
            yield f"v.same.{'before' if truce.first < c.first else 'after'}", 0.7
        for cue in view.found.cues:
            if cue.last <= truce.first and truce.first - cue.last <= _BESIDE:
                yield f"v.{scope}.{cue.name}.before", 0.8
                yield f"v.{cue.name}", 0.8
            elif truce.last <= cue.first and cue.first - truce.last <= _BESIDE:
                yield f"v.{scope}.{cue.name}.after", 0.8
                yield f"v.{cue.name}", 0.8
        if truce.first > truce.sentence.first:
            yield f"w.v.before={reading.words[truce.first - 1].lemma}", 0.7
        for above in ancestors(reading, truce.head)[:3] if reading.lang == "en" else ():
            yield f"w.v.above={reading.words[above].lemma}", 0.7
    if truces and c.family == "armed":
        nearest = min(truces, key=lambda o: abs(o.first - c.first))
        low, high = min(nearest.last, c.last), max(nearest.first, c.first)
        if nearest.sentence.index == c.sentence.index:
            for word in reading.words[low:high]:
                if word.pos in _LINKS:
                    yield f"w.v.between={word.lemma}", 0.8


def _rules(view: View) -> Iterator[tuple[str, float]]:
    """Yield what the rules over cues make of the candidate: the judgement weighs their word as one among others."""
    verdict = judge_by_cues(view)
    yield f"r.stage={verdict.stage}", 1.5
    yield f"r.means={verdict.means}", 1.0
    yield f"r.family={verdict.family}", 1.0
    yield f"r.realis={verdict.realis}", 1.0
    yield f"r.reason={verdict.reason}", 1.0
    yield "r.event", verdict.event
    for mark in verdict.marks:
        yield mark, 0.7
