"""The detector: articles in, mentions out; one object per process, shared by its threads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from transforms.detect.candidates import Found, find_candidates
from transforms.detect.deciding import Judged, asker_of, judge_all
from transforms.detect.facts import COVERED, Facts, read_facts
from transforms.detect.judgement import Judgement, Weighing, load_judgement
from transforms.detect.lexicons import load_lexicon
from transforms.detect.nlp import load_english
from transforms.detect.quotes import evidence_of
from transforms.detect.reading import Laid, Reading, lay_out, readable, reading_of_doc, reading_of_text
from transforms.detect.settings import DetectSettings
from transforms.detect.signature import signature_of
from transforms.model import Article, Mention, Realis

if TYPE_CHECKING:
    from spacy.tokens import Doc

_DEFAULTS = DetectSettings()
NEWS = frozenset({Realis.ASSERTED, Realis.ALLEGED})
_ACCORDING = frozenset({Realis.ALLEGED, Realis.DENIED})  # somebody's word: it says whose


def is_news(mention: Mention) -> bool:
    """Return whether a mention tells a real act, asserted or alleged; the others never raise an alert."""
    return mention.realis in NEWS


@dataclass(frozen=True, slots=True)
class Detected:
    """Everything that was made of one article: for `explain` and for the mentions."""

    article: Article
    reading: Reading
    found: Found
    facts: Facts | None
    judged: tuple[Judged, ...]


class Detector:
    """Reads articles by one set of lexicons, gazetteer and model. Make it with `load_detector`."""

    def __init__(self, settings: DetectSettings, judgement: Judgement) -> None:
        """Keep the settings and the model."""
        self.settings = settings
        self.judgement = judgement
        self._weighing = Weighing(judgement.heads_of("en"))
        self.version = f"{knowledge_version()}-{judgement.version}"

    def detect(self, articles: Sequence[Article]) -> list[tuple[Mention, ...]]:
        """Return the mentions of each article, in its order; any text will do."""
        return [self.mentions_of(detected) for detected in self.analyse(articles)]

    def analyse(self, articles: Sequence[Article]) -> list[Detected]:
        """Return what is made of each article, rejected candidates too."""
        laid = [lay_out(article, self.settings.max_chars) for article in articles]
        return [self._decide(reading) for reading in self._read(articles, laid)]

    def mentions_in_doc(self, article: Article, doc: Doc) -> tuple[Mention, ...]:
        """Return the mentions of an article whose text spaCy has parsed already (`doc.text` is the article's text)."""
        laid = Laid(doc.text, (("text", 0, len(doc.text), 0),))
        return self.mentions_of(self._decide(reading_of_doc(article, laid, doc)))

    def _read(self, articles: Sequence[Article], laid: Sequence[Laid]) -> list[Reading]:
        readings: dict[int, Reading] = {}
        english: list[int] = []
        for at, article in enumerate(articles):
            lang = article.lang if article.lang in self.settings.languages else ""
            if lang == "en" and laid[at].text:
                english.append(at)
            elif lang:
                readings[at] = reading_of_text(article, laid[at], lang)
            else:
                readings[at] = Reading(article, laid[at], "", (), ())
        if english:
            docs = load_english().pipe([laid[at].text for at in english], batch_size=self.settings.batch_size)
            for at, doc in zip(english, docs, strict=True):
                readings[at] = reading_of_doc(articles[at], laid[at], doc)
        return [readings[at] for at in range(len(articles))]

    def _decide(self, reading: Reading) -> Detected:
        if not reading.lang or not reading.sentences:
            return Detected(reading.article, reading, Found((), (), ()), None, ())
        found = find_candidates(reading)
        if not found.candidates:
            return Detected(reading.article, reading, found, None, ())
        facts = read_facts(reading)
        if not any(facts.country.score(code) > 0 for code in COVERED):
            return Detected(reading.article, reading, found, facts, ())
        ask = asker_of(self._weighing)
        judged = judge_all(reading, found, facts, ask, dict(self.judgement.thresholds))
        return Detected(reading.article, reading, found, facts, judged)

    def mentions_of(self, detected: Detected) -> tuple[Mention, ...]:
        """Return the mentions in what was made of one article."""
        taken = [
            judged
            for judged in detected.judged
            if not judged.rejected
            or (self.settings.keep_denied and judged.rejected == Realis.DENIED and judged.slots.country)
        ]
        if not taken:
            return ()
        article = detected.article
        whole = " ".join(part for part in (article.title, article.summary, article.text) if part)
        signature = signature_of(readable(whole[: self.settings.max_signature_chars]))
        mentions = [self._mention(detected, judged, signature) for judged in taken]
        return tuple({mention.mention_id: mention for mention in mentions}.values())

    def _mention(self, detected: Detected, judged: Judged, signature: tuple[int, ...]) -> Mention:
        article, slots = detected.article, judged.slots
        evidence = evidence_of(detected.reading, judged)
        told = (
            article.feed, article.item_id, judged.family, judged.stage, judged.means, slots.country,
            judged.realis, evidence.field, evidence.start, evidence.quote,
        )  # fmt: skip
        digest = hashlib.sha256("\x1f".join(str(part) for part in told).encode("utf-8", "surrogatepass")).hexdigest()
        return Mention(
            mention_id=digest[:20],
            item_id=article.item_id,
            feed=article.feed,
            outlet=article.outlet,
            owner=article.owner,
            state_affiliated=article.state_affiliated,
            url=article.url,
            lang=article.lang,
            published=article.published,
            fetched=article.fetched,
            backlog="first_pull" in article.flags and bool({"date_missing", "date_ancient"} & set(article.flags)),
            family=judged.family,
            stage=judged.stage,
            means=judged.means,
            country=slots.country,
            places=slots.places,
            date=slots.date,
            actors=slots.actors,
            targets=slots.targets,
            killed=slots.killed,
            injured=slots.injured,
            realis=judged.realis,
            alleged_by=slots.source.name if slots.source and judged.realis in _ACCORDING else "",
            evidence=evidence,
            rule=f"{detected.reading.lang}/{judged.candidate.trigger.id}",
            rules_version=self.version,
            signature=signature,
            wording=_wording(detected.reading, judged),
        )


def _wording(reading: Reading, judged: Judged) -> tuple[str, ...]:
    sentence = judged.candidate.sentence
    words = reading.words[sentence.first : sentence.last]
    content = {w.lemma for w in words if w.pos in {"NOUN", "PROPN", "VERB", "ADJ", "NUM", ""} and len(w.lemma) > 2}
    return tuple(sorted(content)[:60])


@cache
def knowledge_version() -> str:
    """Return a short hash of every lexicon and gazetteer file that ships with the stage."""
    digest = hashlib.sha256()
    for folder in ("lexicon", "gazetteer"):
        for name, content in sorted(_files(folder)):
            digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:8]


def _files(folder: str) -> Iterable[tuple[str, bytes]]:
    root = resources.files("transforms.detect") / folder
    if not root.is_dir():
        return
    for file in root.iterdir():
        if file.is_file() and file.name.endswith((".toml", ".csv", ".json", ".gz")):
            yield f"{folder}/{file.name}", file.read_bytes()


@cache
def load_detector(settings: DetectSettings = _DEFAULTS) -> Detector:
    """Return the detector for `settings`, loaded once per process.

    Raises:
        KnowledgeError: A lexicon, the gazetteer, the model or spaCy's English package cannot be used.
    """
    for language in settings.languages:
        load_lexicon(language)
    if "en" in settings.languages:
        load_english()
    return Detector(settings, load_judgement())
