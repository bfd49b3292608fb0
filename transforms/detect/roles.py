"""Who did it and to whom: read from the parse around a trigger, or from its neighbours where there is no parse.

The returned spans are pairs of word indices `(first, last)`, last excluded.
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.detect.candidates import Candidate
from transforms.detect.reading import Reading, ancestors
from transforms.detect.slot_data import word_lists
from transforms.detect.steps import asker_of_step

_BY = {"by", "from"}
_AT = {"on", "against", "at", "of", "near", "upon", "targeting", "into"}
_BETWEEN = {"between", "among", "with", "by"}
_SUBJECT = {"nsubj", "csubj"}
_FIGHT = {"battle", "combat", "fight"}
_FALL = {"die", "injure", "kill", "wound"}
_PASSIVE_SUBJECT = {"nsubjpass", "csubjpass"}
_MODIFIERS = {"compound", "amod", "nmod", "poss", "npadvmod"}
# Whoever does this to an armed act tells of it, or suffers it, and did not do it.


FILE = "roles.en.toml"
_KEYS = (
    "does",
    "pronouns",
    "speakers",
    "witnesses",
    "accuses",
    "doers",
    "blame",
    "bodies",
    "tellers",
    "truces",
    "without_aircraft",
)

Span = tuple[int, int]


def role_words() -> dict[str, frozenset[str]]:
    """Return the lexicon's lists.

    Raises:
        KnowledgeError: The data file cannot be used.
    """
    return word_lists(FILE, _KEYS)


@dataclass(frozen=True, slots=True)
class Roles:
    """Spans of words, in the order of the text."""

    actors: tuple[Span, ...] = ()
    targets: tuple[Span, ...] = ()
    source: Span | None = None  # whose words it is: the subject of "said", "accused", "claimed"


class _Tree:
    """The parse of one sentence, with the questions that roles ask of it."""

    def __init__(self, reading: Reading, candidate: Candidate) -> None:
        self.words = reading.words
        self.first, self.last = candidate.sentence.first, candidate.sentence.last
        self.reading = reading
        self.field = candidate.sentence.field
        self.below: dict[int, list[int]] = {}
        self.look_at(self.first, self.last)

    def look_at(self, first: int, last: int) -> None:
        """Take the words of a sentence in."""
        for i in range(first, last):
            head = self.words[i].head
            if head != i and first <= head < last:
                self.below.setdefault(head, []).append(i)

    def children(self, index: int, deps: set[str] | None = None) -> list[int]:
        return [i for i in self.below.get(index, []) if deps is None or self.words[i].dep in deps]

    def conjuncts(self, index: int) -> list[int]:
        out = [index]
        for child in self.children(index, {"conj", "appos"} if self.words[index].pos == "X" else {"conj"}):
            if self.words[child].pos in {"NOUN", "PROPN", "PRON", "ADJ"}:
                out.extend(self.conjuncts(child))
        return out

    def objects(self, index: int, prepositions: set[str]) -> list[int]:
        """Return the nouns after one of `prepositions` below `index`."""
        out: list[int] = []
        for prep in self.children(index, {"prep", "agent"}):
            if self.words[prep].lemma in prepositions:
                for noun in self.children(prep, {"pobj"}):
                    out.extend(self.conjuncts(noun))
        return out

    def phrase(self, index: int) -> Span:
        """Return the noun phrase around a noun: what stands left of it, and an "of" or name after it."""
        first = last = index
        speaks = self.words[index].lemma in role_words()["speakers"]
        for child in self.children(index):
            if child < index and self.words[child].dep in {
                "compound",
                "amod",
                "nmod",
                "poss",
                "nummod",
                "quantmod",
                "advmod",
            }:
                first = min(first, self._left(child))
            joins = self.words[child].lemma == "of" or (speaks and self.words[child].lemma == "for")
            if child > index and self.words[child].dep == "prep" and joins:
                for noun in self.children(child, {"pobj"}):
                    last = max(last, self.phrase(noun)[1] - 1)
        return first, last + 1

    def _left(self, index: int) -> int:
        return min([index, *(self._left(c) for c in self.children(index) if c < index and self.words[c].dep != "det")])

    def subject(self, verb: int) -> list[int]:
        """Return the nouns that do `verb`; a verb without subject borrows the one of the verb it is joined to."""
        seen: set[int] = set()
        while verb not in seen:
            seen.add(verb)
            found = self.children(verb, _SUBJECT)
            if found:
                out: list[int] = []
                for noun in found:
                    out.extend(self.conjuncts(noun))
                return out
            if self.words[verb].dep in {"conj", "xcomp", "advcl", "pcomp", "ccomp"}:
                head = self.words[verb].head
                told = [c for c in self.children(head, {"dobj"}) if head < c < verb and self.words[c].pos == "PROPN"]
                if self.words[verb].dep in {"xcomp", "ccomp"} and told:
                    return [noun for child in told for noun in self.conjuncts(child)]  # "prompts Haftar to announce"
                within = self.words[head].dep == "prep"
                verb = self.words[head].head if within else head
                if within and self.words[verb].lemma in role_words()["accuses"]:
                    return self.accused(verb)
                if within and self.words[self.words[verb].head].lemma in role_words()["accuses"]:
                    return self.conjuncts(verb)  # read as "accused [the army of shelling]"
            elif self.words[verb].dep in {"acl", "relcl"}:
                return (
                    [self.words[verb].head] if self.words[verb].tag in {"VBG", "TO", "VB", "VBZ", "VBD", "VBP"} else []
                )
            else:
                return []
        return []

    def accused(self, verb: int) -> list[int]:
        """Return whom a verb of accusing or blaming names: its object, or its subject in the passive."""
        named = self.children(verb, {"dobj"} | _PASSIVE_SUBJECT)
        return [noun for child in named for noun in self.conjuncts(child)]


def roles_of(reading: Reading, candidate: Candidate) -> Roles:
    """Return the roles around a trigger in a parsed reading."""
    tree = _Tree(reading, candidate)
    head = candidate.head
    word = reading.words[head]
    if word.pos in {"VERB", "AUX"}:
        actors, targets = _of_verb(tree, head)
    else:
        actors, targets = _of_noun(tree, head, candidate)
    chain = ancestors(reading, head)
    asker = asker_of_step(reading, candidate) if candidate.family == "ceasefire" else None
    asking = [] if asker is None else [a for a in tree.subject(asker) if a != head]
    if asking:
        actors = asking  # "demands that the army begin the truce": not the army
    elif candidate.family == "ceasefire" or not any(_may_act(tree, a) for a in actors):
        actors = actors + [a for a in _above(tree, head, chain, candidate) if a not in actors]
    source = _source(tree, [head, *chain])
    names = [_named(tree, _owner(tree, a)) for a in (_resolve(tree, a) for a in dict.fromkeys(actors)) if a is not None]
    return Roles(
        actors=tuple(
            dict.fromkeys(
                _beside(candidate, a, tree.phrase(a)) if tree.words[a].pos != "ADJ" else (a, a + 1) for a in names
            )
        ),
        targets=tuple(dict.fromkeys(tree.phrase(t) for t in dict.fromkeys(targets) if t not in names)),
        source=source,
    )


def _beside(candidate: Candidate, index: int, span: Span) -> Span:
    """Return a phrase without the trigger: headlines run on, "... declares truce President Obama demanded"."""
    if span[0] <= candidate.first and candidate.last <= index:
        return candidate.last, span[1]
    return span


def _owner(tree: _Tree, index: int) -> int:
    """Return whose forces a noun names by a pronoun: "the army said its forces had struck"."""
    owners = [c for c in tree.children(index, {"poss"}) if tree.words[c].pos == "PRON"]
    if not owners or tree.words[index].lemma not in role_words()["bodies"]:
        return index
    named = _resolve(tree, owners[0])
    return index if named is None or named == index else named


def _named(tree: _Tree, index: int) -> int:
    """Return the name that stands beside a noun: "the interim government, the National Council, declared"."""
    office = tree.words[index].lemma.lower() in role_words()["bodies"]  # "the Foreign Minister, Musa Kusa, declared"
    if tree.words[index].pos != "NOUN" and not office:
        return index
    return next((c for c in tree.children(index, {"appos"}) if c > index and tree.words[c].pos == "PROPN"), index)


def phrase_at(reading: Reading, candidate: Candidate, index: int) -> Span | None:
    """Return the noun phrase around a word of the trigger's sentence; for a pronoun, that of whom it stands for."""
    tree = _Tree(reading, candidate)
    named = _resolve(tree, index)
    return None if named is None else tree.phrase(named)


def _of_verb(tree: _Tree, verb: int) -> tuple[list[int], list[int]]:
    agents = tree.objects(verb, {"by"})
    passive = tree.children(verb, _PASSIVE_SUBJECT)
    if passive or (tree.words[verb].tag == "VBN" and tree.words[verb].dep in {"acl", "amod"}):
        targets = [noun for child in passive for noun in tree.conjuncts(child)]
        return agents, targets
    targets = [noun for child in tree.children(verb, {"dobj"}) for noun in tree.conjuncts(child)]
    targets += tree.objects(verb, {"on", "against", "at"})
    word = tree.words[verb]
    if word.dep in {"xcomp", "advcl"} and word.lemma in _FIGHT and tree.words[word.head].lemma in _FALL:
        return targets, tree.children(word.head, _PASSIVE_SUBJECT | _SUBJECT)  # "were killed fighting the group"
    actors = tree.subject(verb) + agents
    if word.lemma in {"clash", "fight", "battle"}:
        actors = actors + tree.objects(verb, {"with", "against"})
    return actors, targets


def _of_noun(tree: _Tree, noun: int, candidate: Candidate) -> tuple[list[int], list[int]]:
    actors: list[int] = []
    for child in tree.children(noun, _MODIFIERS):
        if child < noun and not candidate.first <= child < candidate.last and _can_act(tree, child):
            actors.extend(
                tree.conjuncts(child) if tree.words[child].dep != "amod" else [child, *tree.children(child, {"conj"})]
            )
    actors += tree.objects(noun, _BY | {"between"})
    if candidate.trigger.id in {"ground.fight", "ceasefire.word"}:
        actors += tree.objects(noun, {"between", "with"}) or _sides(tree, noun, candidate)
    for relative in tree.children(noun, {"acl", "relcl"}):
        actors += tree.objects(relative, {"by", "between"})
    while tree.words[noun].dep == "conj" and tree.first <= tree.words[noun].head < noun:
        noun = tree.words[noun].head  # "targeted with shells and gunfire"
    head = tree.words[noun].head
    targets = tree.objects(noun, _AT)
    verb = head if tree.words[head].pos in {"VERB", "AUX"} else None
    if verb is not None:
        dep = tree.words[noun].dep
        if candidate.trigger.id in {"ground.fight", "ceasefire.word"}:
            actors += tree.objects(verb, {"between", "among"})
        if dep in {"dobj", "nsubjpass"}:
            actors += tree.objects(verb, {"by"})
            told_of = candidate.family == "armed" and (actors or tree.words[verb].lemma in role_words()["witnesses"])
            if dep == "dobj" and not told_of:
                actors += tree.subject(verb)
            targets += tree.objects(verb, {"on", "against", "at"})
        elif dep in {"nsubj"}:
            targets += [n for child in tree.children(verb, {"dobj"}) for n in tree.conjuncts(child)]
    if tree.words[noun].dep == "pobj" and tree.words[head].dep in {"prep", "agent"}:
        verb = tree.words[head].head
        targets += [n for child in tree.children(verb, _PASSIVE_SUBJECT) for n in tree.conjuncts(child)]
        if tree.words[head].lemma == "behind":  # "said the army was behind the attack"
            actors += tree.subject(verb)
        if (
            tree.words[head].lemma in {"with", "in"}
            and tree.words[verb].pos == "VERB"
            and tree.words[verb].lemma in {"kill", "attack", "target", "hit", "strike", "pound"}
        ):
            actors += tree.subject(verb)
    return actors, targets


def _can_act(tree: _Tree, index: int) -> bool:
    word = tree.words[index]
    return word.pos == "PROPN" or word.lemma in role_words()["doers"]


def _sides(tree: _Tree, noun: int, candidate: Candidate) -> list[int]:
    """Return who fights whom where the parser hangs it elsewhere: "battles in Benghazi, ..., between A and B"."""
    if candidate.family != "armed":
        return []
    for i in range(noun + 1, tree.last):
        word = tree.words[i]
        if word.lemma == "between" and tree.words[word.head].lemma not in role_words()["truces"]:
            return [n for child in tree.children(i, {"pobj"}) for n in tree.conjuncts(child)]
    return []


def _may_act(tree: _Tree, index: int) -> bool:
    """Return whether a word can stand for someone: not the shells that hold chlorine."""
    word = tree.words[index]
    return word.pos in {"PROPN", "PRON", "ADJ"} or word.lemma in role_words()["doers"] | role_words()["bodies"]


def _above(tree: _Tree, head: int, chain: list[int], candidate: Candidate) -> list[int]:
    """Return the subjects of the verbs that govern the trigger: who calls for, agrees, launches, announces it."""
    out: list[int] = []
    for above in chain[:5]:
        if not tree.first <= above < tree.last:
            break
        word = tree.words[above]
        if word.pos in {"NOUN", "PROPN"} and candidate.family == "ceasefire":
            out += [c for c in tree.children(above, {"poss", "compound"}) if _can_act(tree, c)]
            out += tree.objects(above, {"by", "between", "from"})
        if word.pos not in {"VERB", "AUX"}:
            continue
        if candidate.family == "armed" and word.lemma in role_words()["witnesses"]:
            if word.lemma in role_words()["accuses"]:  # "accused the army of attacks on ..."
                out += [named for named in tree.accused(above) if named != head and named not in chain]
                break
            continue
        passive = tree.children(above, _PASSIVE_SUBJECT)
        if passive:
            out += tree.objects(above, {"by"})
        elif word.lemma in role_words()["does"] or candidate.family == "ceasefire":
            out += [s for s in tree.subject(above) if s != head and s not in chain]
            out += tree.objects(above, {"by"})
        if out:
            break
    return [i for i in out if not candidate.first <= i < candidate.last]


def _source(tree: _Tree, chain: list[int]) -> Span | None:
    """Return whose claim the trigger's clause is."""
    for above in chain:
        if not tree.first <= above < tree.last:
            break
        if tree.words[above].lemma in {
            "accuse",
            "say",
            "claim",
            "blame",
            "allege",
            "tell",
            "announce",
            "report",
            "note",
            "charge",
            "insist",
            "state",
        }:
            subjects = tree.children(above, _SUBJECT)
            if subjects:
                return tree.phrase(subjects[0])
    return None


def _resolve(tree: _Tree, index: int) -> int | None:
    """Return the noun that a pronoun likely stands for: the nearest earlier subject of the sentence that can act."""
    word = tree.words[index]
    if word.pos != "PRON" and word.lemma not in role_words()["pronouns"]:
        return index
    if word.lemma in {"we", "i"} and (speaker := _speaker(tree)) is not None:
        return speaker
    if word.dep in _SUBJECT and word.lemma in {"who", "which", "that"}:
        verb = word.head
        if tree.words[verb].dep == "relcl":
            return tree.words[verb].head
    earlier = [
        i for i in range(tree.first, index)
        if tree.words[i].dep in {"nsubj", "nsubjpass"} and tree.words[i].pos in {"NOUN", "PROPN"}
    ]  # fmt: skip
    return earlier[-1] if earlier else _subject_before(tree)


def _speaker(tree: _Tree) -> int | None:
    """Return who says what a quotation says: the subject of "said" in its sentence, or else in the one before."""
    at = next((s.index for s in tree.reading.sentences if s.first == tree.first), 0)
    before = [s for s in tree.reading.sentences[max(at - 3, 0) : at] if s.last - s.first > 2]  # not a lone mark
    for sentence in (tree.reading.sentences[at], *before[-1:]):
        for i in range(sentence.first, sentence.last):
            word = tree.words[i]
            if word.dep == "nsubj" and word.pos in {"NOUN", "PROPN"} and tree.words[word.head].lemma == "say":
                tree.look_at(sentence.first, sentence.last)
                return i
    return None


def _subject_before(tree: _Tree) -> int | None:
    """Return whom the sentence before is about, for "He also called for ...": the subject of its main verb."""
    at = next((s.index for s in tree.reading.sentences if s.first == tree.first), 0)
    if at == 0:
        return None
    before = tree.reading.sentences[at - 1]
    words = tree.words
    subjects = [
        i for i in range(before.first, before.last)
        if words[i].dep == "nsubj" and words[words[i].head].dep == "ROOT" and words[i].pos in {"NOUN", "PROPN"}
    ]  # fmt: skip
    if not subjects or before.field != tree.field:
        return None
    tree.look_at(before.first, before.last)
    return subjects[0]
