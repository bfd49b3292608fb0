"""Why a text did or did not raise an event: marked sentences, what weighed most, what was rejected."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

from transforms.detect.deciding import Judged
from transforms.detect.detector import Detected, Detector, load_detector
from transforms.detect.quotes import evidence_of
from transforms.detect.settings import DetectSettings
from transforms.model import Article, Family, Realis

_DEFAULTS = DetectSettings()
_MARKS = ("ceasefire", "armed", "place", "date", "toll", "party")
_COLOURS = {
    "ceasefire": "bold green",
    "armed": "bold red",
    "place": "cyan",
    "date": "magenta",
    "toll": "yellow",
    "party": "blue",
}
_REASONS = {
    "elsewhere": "nothing places it in Syria or Libya",
    "not_an_event": "judged no news of an act",
    "not_armed": "a truce or clash of sport, trade or a quarrel",
    Realis.DENIED.value: "told as denied",
    Realis.NEGATED.value: "told as not having happened",
    Realis.HYPOTHETICAL.value: "told as possible or conditional",
    Realis.FUTURE.value: "told as still to come",
    Realis.BACKGROUND.value: "told as background",
}
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#222}
mark{padding:0 .15em;border-radius:.2em;background:#eee}
mark.ceasefire{background:#cdeccd}mark.armed{background:#f6c9c9}mark.place{background:#cfeaf0}
mark.date{background:#ecd3f0}mark.toll{background:#f6ecb8}mark.party{background:#d3dcf6}
.event{border-left:.25em solid #393;padding-left:.8em}
.rejected{border-left:.25em solid #bbb;padding-left:.8em;color:#555}
code{font-size:.85em}
""".strip()


@dataclass(frozen=True, slots=True)
class Marked:
    """A span of a sentence and what it is: ceasefire, armed, place, date, toll or party."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class ExplainedSentence:
    """One sentence, the field it stands in, and its marked spans (offsets in the sentence, not overlapping)."""

    field: str
    text: str
    marks: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided of one trigger.

    Attributes:
        trigger: Its words.
        sentence: Number of its sentence.
        family, kind: What it tells, or would tell.
        outcome: "event" or the reason of rejection.
        reason: The outcome in words.
        probability: That it is an event, as judged.
        leading: Features that weighed most, with their weight for (+) or against (-).
        quote: The evidence, for events.
        rule: Id of the trigger group.
        told: The slots, as short text.
    """

    trigger: str
    sentence: int
    family: str
    kind: str
    outcome: str
    reason: str
    probability: float
    leading: tuple[tuple[str, float], ...]
    quote: str
    rule: str
    told: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an article did or did not raise events.

    Attributes:
        summary: One line for the whole.
        sentences: What was read.
        decisions: Events first, then what was rejected, each by position.
        rules_version: Version of lexicons, gazetteer and model.
    """

    summary: str
    sentences: tuple[ExplainedSentence, ...]
    decisions: tuple[Decision, ...]
    rules_version: str

    @property
    def events(self) -> tuple[Decision, ...]:
        """The decisions that made an event."""
        return tuple(d for d in self.decisions if d.outcome == "event")

    def rich(self) -> str:
        """Return the explanation as Rich markup for a terminal."""
        return "\n".join(_rich(self))

    def html(self) -> str:
        """Return the explanation as an HTML page."""
        return "\n".join(_html(self))


def explain(article: Article, settings: DetectSettings = _DEFAULTS) -> Explanation:
    """Return why `article` did or did not raise events."""
    detector = load_detector(settings)
    return explain_detected(detector, detector.analyse([article])[0])


def explain_detected(detector: Detector, detected: Detected) -> Explanation:
    """Return the explanation of what `detector` made of an article."""
    decisions = tuple(_decision(detector, detected, judged) for judged in detected.judged)
    decisions = tuple(sorted(decisions, key=lambda d: (d.outcome != "event", d.sentence)))
    events = sum(d.outcome == "event" for d in decisions)
    if not detected.reading.lang:
        summary = f"language {detected.article.lang!r} is not read"
    elif not detected.found.candidates:
        summary = "no word of a ceasefire or an armed act"
    elif detected.facts is None or not decisions:
        summary = "nothing places it in Syria or Libya"
    else:
        summary = f"{events} event{'s' if events != 1 else ''}, {len(decisions) - events} rejected"
    return Explanation(summary, tuple(_sentences(detected)), decisions, detector.version)


def _decision(detector: Detector, detected: Detected, judged: Judged) -> Decision:
    unreal = judged.realis not in {Realis.ASSERTED, Realis.ALLEGED}
    outcome = judged.rejected or (judged.realis.value if unreal else "event")
    head = detector.judgement.head(f"event.{judged.candidate.family}", detected.reading.lang)
    leading = tuple((name, round(weight, 2)) for name, weight in head.leading(judged.features, "event"))
    slots = judged.slots
    told = [slots.country or "country unknown"]
    told += [place.name for place in slots.places]
    if slots.date:
        told.append(slots.date.start.isoformat())
    if slots.killed is not None:
        told.append(f"{slots.killed} killed")
    told += [f"by {party.name}" for party in slots.actors]
    return Decision(
        trigger=judged.candidate.form,
        sentence=judged.candidate.sentence.index,
        family=judged.family.value if judged.family != Family.CEASEFIRE else "ceasefire",
        kind=str(judged.stage or judged.means or ""),
        outcome=outcome,
        reason=_REASONS.get(outcome, "") if outcome != "event" else f"{judged.realis.value}",
        probability=round(judged.event, 3),
        leading=leading,
        quote=evidence_of(detected.reading, judged).quote if not judged.rejected else "",
        rule=f"{detected.reading.lang}/{judged.candidate.trigger.id}",
        told=", ".join(told),
    )


def _sentences(detected: Detected) -> Iterator[ExplainedSentence]:
    reading, words = detected.reading, detected.reading.words
    spans: list[tuple[int, int, str]] = [
        (words[c.first].start, words[c.last - 1].end, c.family) for c in detected.found.candidates
    ]
    if detected.facts:
        facts = detected.facts
        spans += [(t.start, t.end, "toll") for t in facts.tolls]
        spans += [(d.start, d.end, "date") for d in facts.dates]
        spans += [(p.start, p.end, "place") for p in facts.places]
        spans += [(p.start, p.end, "party") for p in facts.parties]
    rank = {kind: at for at, kind in enumerate(_MARKS)}
    spans.sort(key=lambda span: (rank[span[2]], span[0]))
    kept: list[tuple[int, int, str]] = []
    for span in spans:
        if all(span[1] <= other[0] or other[1] <= span[0] for other in kept):
            kept.append(span)
    kept.sort()
    for sentence in reading.sentences:
        marks = tuple(
            Marked(start - sentence.start, min(end, sentence.end) - sentence.start, kind)
            for start, end, kind in kept
            if sentence.start <= start < sentence.end
        )
        yield ExplainedSentence(sentence.field, reading.text[sentence.start : sentence.end], marks)


def _pieces(sentence: ExplainedSentence) -> Iterator[tuple[str, str]]:
    at = 0
    for mark in sentence.marks:
        yield sentence.text[at : mark.start], ""
        yield sentence.text[mark.start : mark.end], mark.kind
        at = mark.end
    yield sentence.text[at:], ""


def _rich(explanation: Explanation) -> Iterator[str]:
    from rich.markup import escape

    yield f"[bold]{escape(explanation.summary)}[/bold]  [dim]rules {explanation.rules_version}[/dim]"
    for number, sentence in enumerate(explanation.sentences):
        parts = (
            f"[{_COLOURS[kind]}]{escape(text)}[/]" if kind else escape(text) for text, kind in _pieces(sentence) if text
        )
        yield f"[dim]{number} {sentence.field}[/dim]  {''.join(parts)}"
    for decision in explanation.decisions:
        sign, colour = ("✔", "green") if decision.outcome == "event" else ("✘", "dim")
        what = f"{sign} {decision.family}/{decision.kind} “{decision.trigger}”"
        line = f"{what} ({decision.reason}; p {decision.probability:.2f})"
        yield f"[{colour}]{escape(line)}[/]"
        yield f"   {escape(decision.told)}  [dim]{escape(decision.rule)}[/dim]"
        if decision.quote:
            yield f"   [italic]“{escape(decision.quote)}”[/italic]"
        yield f"   [dim]{escape(_weights(decision))}[/dim]"


def _html(explanation: Explanation) -> Iterator[str]:
    yield "<!doctype html><html lang='en'><meta charset='utf-8'><title>trucewatch explains</title>"
    yield f"<style>{_STYLE}</style><body>"
    yield f"<h1>{html.escape(explanation.summary)}</h1><p>rules {html.escape(explanation.rules_version)}</p>"
    for sentence in explanation.sentences:
        parts = (
            f"<mark class='{kind}' title='{kind}'>{html.escape(text)}</mark>" if kind else html.escape(text)
            for text, kind in _pieces(sentence)
            if text
        )
        yield f"<p dir='auto'>{''.join(parts)}</p>"
    for decision in explanation.decisions:
        kind = "event" if decision.outcome == "event" else "rejected"
        what = html.escape(f"{decision.family}/{decision.kind}")
        yield f"<div class='{kind}'><p><b>{what}</b> “{html.escape(decision.trigger)}”: "
        yield f"{html.escape(decision.reason)} (p {decision.probability:.2f})<br>{html.escape(decision.told)}"
        if decision.quote:
            yield f"<br><q dir='auto'>{html.escape(decision.quote)}</q>"
        yield f"<br><code>{html.escape(_weights(decision))}</code></p></div>"
    yield "</body></html>"


def _weights(decision: Decision) -> str:
    return "  ".join(f"{name} {weight:+.2f}" for name, weight in decision.leading)
