"""Which step of a ceasefire English words tell, read from the parse.

The ceasefire hangs on a predicate that makes a step of it ("reached a truce": agreed), and every verb above changes
that step: "trying to reach", "urged them to reach", "refused to reach". The words are in `lexicon/steps.en.toml`.
"""

from __future__ import annotations

from transforms.detect.candidates import Candidate
from transforms.detect.reading import Reading, Word
from transforms.detect.sentence_window import SentenceWindow
from transforms.detect.step_tree import StepTree
from transforms.model import Stage

_HIGHEST = 8  # words climbed
_TO_NOUN = {"compound", "amod", "nmod", "poss", "pobj", "prep", "nummod"}
_OBJECT = {"dobj", "nsubjpass"}
_CLAUSES = {"xcomp", "ccomp", "acl", "advcl", "pcomp", "prep"}
# "observe the plan", "renewed its call" is still only asked for; a plan that is suspended was talked about
_OF_A_PLAN = {
    Stage.IN_EFFECT: Stage.CALLED_FOR, Stage.EXTENDED: Stage.CALLED_FOR, Stage.ENDED: Stage.NEGOTIATING,
}  # fmt: skip
_KEPT = {Stage.AGREED, Stage.IN_EFFECT}
_PERHAPS = {"could", "may", "might"}
_BEFORE = {"before", "until"}
_UNLESS = {"if", "unless"}
_OUGHT = {"should", "must"}
_REFUSING = {"do", "shall", "will", "would"}  # before "not accept"; what "has not agreed" may do so yet
_ALSO_NOUNS = {"start"}
_UNDER = {"under", "as part of", "in line with", "in accordance with", "under part of", "within framework of"}
_DONE = {"VBD", "VBN", "VBP", "VBZ"}  # of headlines also the present: "Egypt brokers truce"
_RAISING = {"appear", "continue", "fail", "seem"}  # "the truce continues to hold": what it does is told below


def step_of(reading: Reading, candidate: Candidate) -> Stage | None:
    """Return the step that the words around a ceasefire word settle, None where they settle none."""
    return _read(reading, candidate)[0]


def is_yet_to_come(reading: Reading, candidate: Candidate) -> bool:
    """Return whether a ceasefire has not begun when what is told happens: "days ahead of a ceasefire"."""
    if reading.lang != "en":
        return False
    window = SentenceWindow(reading, candidate)
    for at in window.chain[:_HIGHEST]:
        word, above = window.tokens[at], window.tokens[window.tokens[at].head]
        if word.lemma in _BEFORE and word.dep == "prep":
            return True
        if word.lemma == "of" and above.lemma in {"ahead", "advance"}:
            return True
        if word.pos in {"VERB", "AUX"}:
            if any(w.lemma in _BEFORE and w.dep == "mark" for w in window.children(at)):
                return True
            if word.dep not in {"ccomp", "xcomp"}:  # "before the UN hopes that a truce will begin"
                return False
    return False


def asker_of_step(reading: Reading, candidate: Candidate) -> int | None:
    """Return the word that asks for the ceasefire ("demands that they begin it"), None where it is not asked for."""
    stage, asker = _read(reading, candidate)
    return asker if stage is Stage.CALLED_FOR else None


def _read(reading: Reading, candidate: Candidate) -> tuple[Stage | None, int | None]:
    """Return the step and the word that asks for it; rules and features ask for them several times."""
    if reading.lang != "en":
        return None, None
    key = ("step", candidate.first, candidate.last)
    if key not in reading.memo:
        climb = _Climb(reading, candidate)
        reading.memo[key] = climb.step(), climb.asker
    found: tuple[Stage | None, int | None] = reading.memo[key]
    return found


class _Climb(StepTree):
    """The way from a ceasefire word to the top of its sentence."""

    def __init__(self, reading: Reading, candidate: Candidate) -> None:
        super().__init__(reading, candidate)
        self.asker: int | None = None
        self.urged = False  # somebody is asked to take the step

    def step(self) -> Stage | None:
        """Return the step told, None where nothing settles it."""
        at = self.candidate.head
        if self._is_to_begin(at):
            return Stage.AGREED
        beside = self._said_beside(at)
        word = self.tokens[at]
        if word.pos == "VERB" and word.lemma in self.lexicon.lists["stop"]:  # "agreed to hold their fire"
            stage = self._told(at, Stage.AGREED)
        elif word.lemma not in self.lexicon.lists["stop"] and (made := self.lexicon.made["noun"].get(word.lemma)):
            # "pledged to deploy truce monitors"; but "an end to hostilities" is the truce itself
            stage = self._of_noun(at, made)
        else:
            stage = self._misread(at) or self._climbed(at)
        return beside if beside and stage in {None, Stage.IN_EFFECT, Stage.AGREED} else stage

    def _said_beside(self, at: int) -> Stage | None:
        """Return what a relative clause or a headline's next word says of it: "which has collapsed", "Truce ends"."""
        made = self.lexicon.made["subject"]
        following = self.tokens[self.candidate.last] if self.candidate.last < self.last else None
        if following is not None and following.tag in {"NNS", "VBZ"} and following.text.endswith("s"):
            lower = following.text.lower()
            stage = made.get(lower[:-1]) or made.get(lower[:-2])
            if stage in {Stage.ENDED, Stage.IN_EFFECT} and following.lemma not in _ALSO_NOUNS:
                return self._modified(self.candidate.last, stage)
        if (stage := self._said_before()) is not None:
            return stage
        after = [w.lemma for w in self.tokens[self.candidate.last : min(self.candidate.last + 2, self.last)]]
        if (stage := made.get(" ".join(["be", *after]))) is not None:  # "truce in tatters"
            return stage
        for i in range(at + 1, self.last):
            if self.tokens[i].head == at and self.tokens[i].dep == "relcl":
                subject = any(w.head == i and w.dep == "nsubj" and w.tag in {"WDT", "WP"} for w in self.sentence)
                if subject and (stage := self.look_up("subject", i)):
                    return self._modified(i, stage)
                if subject and self._is_scheduled(i):  # "a truce which is due to start on Friday"
                    return Stage.AGREED
        if self.tokens[at].dep == "ROOT":  # "Truce agreed in Zabadani"
            for i in range(at + 1, self.last):
                if self.tokens[i].head == at and self.tokens[i].dep in {"acl", "amod"} and self.tokens[i].tag == "VBN":
                    return self.look_up("object", i) or self.look_up("subject", i)
        return next((s for tail in self.tails(at) if (s := made.get(f"be {tail}"))), None)

    def _misread(self, at: int) -> Stage | None:
        """Return the step of a predicate that the parser often hangs elsewhere.

        "seeks to broker ceasefire" is read as a compound; the verb after a long "truce between A and B" is given to B,
        or stands beside the truce: "reports the truce, declared after days of fighting, is holding".
        """
        before = self.candidate.first - 1
        if before > self.first and self.tokens[before].tag == "VB" and self.tokens[before].dep == "compound":
            stage = self.lexicon.made["object"].get(self.tokens[before].lemma)
            to = self.tokens[before - 1].lemma == "to"
            return self._governed(stage, self.tokens[at].head, "xcomp") if stage and to else None
        made = self.lexicon.made["subject"]
        if self.tokens[at].dep == "dobj":
            verb = self.tokens[at].head
            above = self.tokens[verb].head if self.tokens[verb].dep == "ccomp" else -1
            beside = (
                i for i, w in self.numbered()
                if i > at and w.lemma in made and ((w.head == verb and w.dep == "ccomp") or i == above)
                and not any(s.head == i and s.dep in {"nsubj", "nsubjpass"} for s in self.sentence)
            )  # fmt: skip
            return next((self._modified(i, made[self.tokens[i].lemma]) for i in beside), None)
        if self.tokens[at].dep in {"pobj", "nsubj"} and self.tokens[min(at + 1, self.last - 1)].lemma == "between":
            verbs = (
                (i, w) for i, w in self.numbered() if i > at and w.pos == "VERB" and w.tag in {"VBZ", "VBP", "VBD"}
            )
            for verb, word in verbs:
                subjects = [i for i, w in self.numbered() if w.head == verb and w.dep == "nsubj"]
                swallowed = word.lemma in made and bool(subjects) and all(at < i < verb for i in subjects)
                return self._modified(verb, made[word.lemma]) if swallowed else None
        return None

    def _said_before(self) -> Stage | None:
        """Return what a headline's verb does that is taken for a noun: "Damascus scraps truce with rebels"."""
        at = self.candidate.first - 1
        if at <= self.first:
            return None
        verb = self.tokens[at]
        below = self.candidate.first <= verb.head < self.last
        alone = verb.dep == "ROOT" and self.tokens[self.candidate.head].head > at  # "ministry dismisses truce offer"
        if verb.tag != "NNS" or not (alone or (below and verb.dep in {"compound", "nsubj"})):
            return None
        lower = verb.text.lower()
        forms = [verb.lemma, lower[:-1], lower[:-2]]  # lemmas are those of nouns
        done = not self.lexicon.lists["arrange"].isdisjoint(forms)
        made = self.lexicon.made["object"]
        stage = Stage.AGREED if done else next((made[form] for form in forms if form in made), None)
        after = self.tokens[self.candidate.last] if self.candidate.last < self.last else None
        asked = after is not None and after.lemma in self.lexicon.lists["asked"]
        return _OF_A_PLAN.get(stage, stage) if stage and asked else stage

    def _climbed(self, at: int, asked: bool = False) -> Stage | None:
        """Return the step that the predicate above a noun tells; `asked`: of what is only a plan, a call, an offer."""
        prepositions: list[str] = []
        for _ in range(_HIGHEST):
            above, link = self.tokens[at].head, self.tokens[at].dep
            if above == at or not self.first <= above < self.last:
                break
            governing = self.tokens[above]
            if governing.pos in {"ADP", "SCONJ", "PART"} and link in {"pobj", "pcomp", "prep"}:
                prepositions.insert(0, governing.lemma)
                at = above
                continue
            called = governing.dep in {"dobj", "pobj"} and governing.lemma in self.lexicon.lists["asked"]
            if called or self._only_holds(governing, link):
                asked, at, prepositions = asked or called, above, []  # "rejects UN call", taken for a verb
                continue
            if governing.pos in {"VERB", "AUX"}:
                if self._carried_out(above, prepositions):
                    released = governing.dep == "acl" and governing.tag == "VBN"  # "prisoners released under the truce"
                    return Stage.IN_EFFECT if released else self._told(above, Stage.IN_EFFECT)
                above = self._raised(above) if link == "nsubj" else above
                stage = self._predicated(at, above, link, prepositions, asked)
                self.asker = above if stage is Stage.CALLED_FOR and link not in {"nsubj", "nsubjpass"} else None
                return self._told(above, stage) if stage else None
            if link == "conj":
                at = above
                continue
            if link not in _TO_NOUN and link not in {"appos", "relcl"}:
                break
            word = governing.lemma
            if (frame := " ".join([word, *prepositions])) in self.lexicon.lists["frames"]:
                at, prepositions = above, [frame]  # "withdrew as part of the truce"
                continue
            if word in self.lexicon.lists["asked"]:
                asked = True
            elif governing.pos == "PROPN" and link == "compound":
                pass  # a headline's kicker, read as one name with it
            elif stage := self.lexicon.made["noun"].get(word):
                return self._of_noun(above, stage)
            elif word not in self.lexicon.lists["itself"]:
                return None
            at, prepositions = above, []
        return Stage.CALLED_FOR if asked else None

    def _only_holds(self, governing: Word, link: str) -> bool:
        """Return whether a verb says what stands in a plan: "a plan, including a truce", "that envisages a truce"."""
        if governing.lemma not in self.lexicon.lists["holding"]:
            return False
        return governing.tag == "VBG" or (link == "dobj" and governing.dep == "relcl")

    def _carried_out(self, verb: int, prepositions: list[str]) -> bool:
        """Return whether something is done that the ceasefire provides for: "were evacuated under the truce"."""
        how = " ".join(prepositions)
        if how not in _UNDER:
            return False
        carried = self.lexicon.lists["carried_out"]
        below = {w.lemma for i, w in self.numbered() if w.head == verb and w.dep in {"xcomp", "ccomp"}}
        return self.tokens[verb].lemma in carried or bool(below & carried)

    def _predicated(self, at: int, verb: int, link: str, prepositions: list[str], asked: bool) -> Stage | None:
        """Return what a verb makes of the ceasefire that hangs on it."""
        made = self.lexicon.made
        kept = made["prepositional"].get(" ".join([self.tokens[verb].lemma, *prepositions])) in _KEPT
        if (kept or self.look_up("object", verb) in _KEPT) and self._is_no_longer(verb):
            return Stage.ENDED
        if self.tokens[verb].lemma in self.lexicon.lists["ask"] and self._is_said_by_paper(verb):
            return None
        if link in _OBJECT:
            stage = self.look_up("object", verb, at)
            if stage is None and link == "nsubjpass" and self._is_scheduled(verb):
                stage = Stage.AGREED
            if any(w.head == at and w.lemma in self.lexicon.lists["past"] for w in self.sentence):
                return None
        elif link in {"prep", "agent"} or prepositions:
            lemma = " ".join([self.tokens[verb].lemma, *prepositions])
            stage = made["prepositional"].get(lemma) or made["object"].get(lemma)  # "calls off Idlib truce"
            if stage is None and prepositions == ["for"] and self.has_object(verb, self.lexicon.lists["asked"]):
                stage = Stage.CALLED_FOR  # "repeated calls on Sunday for a truce"
        elif link in {"nsubj", "csubj"}:
            stage = self._does(at, verb)
        else:
            return None
        if asked and stage is None and link in {"nsubj", *_OBJECT} and self.tokens[verb].pos == "VERB":
            # "calls for a truce are growing", "repeated its call": whatever becomes of a call, it was made
            return Stage.CALLED_FOR if self.tokens[at].lemma in self.lexicon.lists["ask"] else None
        if asked and stage:
            return _OF_A_PLAN.get(stage, stage)
        word = self.tokens[verb]
        doing = self.tokens[word.head] if self.tokens[word.head].lemma == "help" else word  # "helped broker a truce"
        done = word.lemma in self.lexicon.lists["arrange"] and doing.tag in _DONE and doing.dep != "acl"
        return Stage.AGREED if stage is Stage.NEGOTIATING and done else stage

    def _does(self, at: int, verb: int) -> Stage | None:
        """Return what a verb makes of the ceasefire that is its subject."""
        stage = self.look_up("subject", verb)
        if stage is None:  # "the truce has been shaky and has collapsed"
            joined = (
                i for i, w in self.numbered()
                if w.head == verb and w.dep == "conj"
                and not any(s.head == i and s.dep == "nsubj" for s in self.sentence)
            )  # fmt: skip
            stage = next((s for i in joined if (s := self.look_up("subject", i)) is Stage.ENDED), None)
        if stage is Stage.IN_EFFECT and self._is_no_longer(verb):
            return Stage.ENDED
        if stage is None and self.tokens[verb].tag in {"VBD", "VBN"}:  # "Truce extended by a week"
            short = self.tokens[verb].lemma in self.lexicon.lists["short"]
            stage = self.look_up("object", verb) if short else None
        if stage is None and self._is_scheduled(verb):
            return Stage.AGREED
        its_own = self.tokens[at].head == verb  # not "the truce failed to hold"
        if stage is Stage.IN_EFFECT and its_own and self.is_infinitive(verb):
            return Stage.AGREED  # "for a truce to start on Monday"
        return stage

    def _raised(self, verb: int) -> int:
        """Return the verb that says what the subject of `verb` does: "the truce failed to hold"."""
        if self.tokens[verb].lemma not in _RAISING:
            return verb
        below = (i for i, w in self.numbered() if w.head == verb and w.dep == "xcomp" and self.is_infinitive(i))
        return next(below, verb)

    def _is_scheduled(self, verb: int) -> bool:
        """Return whether the truce has yet to begin: "is to begin", "is due to start", "is expected to take effect"."""
        lists = self.lexicon.lists
        heads = {verb} if self.tokens[verb].lemma in lists["scheduled"] else set()
        heads |= {
            i for i, w in self.numbered() if w.head == verb and w.dep == "acomp" and w.lemma in lists["scheduled"]
        }
        return any(
            w.head in heads and w.dep == "xcomp" and w.lemma in lists["begin"] and self.is_infinitive(i)
            and self.look_up("subject", i) is Stage.IN_EFFECT
            for i, w in self.numbered()
        )  # fmt: skip

    def _is_no_longer(self, verb: int) -> bool:
        return any(w.text.lower() == "longer" and (w.head == verb or i < verb <= i + 4) for i, w in self.numbered())

    def _is_said_by_paper(self, verb: int) -> bool:
        """Return whether a paper calls for it and nobody does anew: "a memorandum calling for a truce"."""
        paper, word = self.lexicon.lists["paper"], self.tokens[verb]
        if word.dep in {"acl", "relcl"} and self.tokens[word.head].lemma in paper:
            return True
        return any(w.head == verb and w.dep == "nsubj" and w.lemma in paper for w in self.sentence)

    def _of_noun(self, noun: int, stage: Stage) -> Stage | None:
        """Return what becomes of a step told by a noun: "rejected an extension", "asked for an extension"."""
        at, prepositions = noun, list[str]()
        for _ in range(3):
            above, link = self.tokens[at].head, self.tokens[at].dep
            if above == at or not self.first <= above < self.last:
                return stage
            if self.tokens[above].pos in {"ADP", "PART"}:
                prepositions.insert(0, self.tokens[above].lemma)
                at = above
                continue
            if self.tokens[above].pos not in {"VERB", "AUX"}:
                return None if self.tokens[above].lemma in self.lexicon.lists["asked"] else stage
            verb = self.tokens[above].lemma
            over = None
            if link in _OBJECT:
                over = self.lexicon.made["object"].get(verb)
            elif prepositions:
                over = self.lexicon.made["prepositional"].get(" ".join([verb, *prepositions]))
            if over is Stage.AGREED and self.tokens[noun].lemma in self.lexicon.lists["asked"]:
                return self._told(above, over)  # "agreed to the peace plan"
            if over in {Stage.REJECTED, Stage.CALLED_FOR} and stage is not Stage.NEGOTIATING:
                return over if over is Stage.REJECTED or stage is not Stage.ENDED else None
            if stage is Stage.ENDED and not self.lexicon.lists["not_yet"].isdisjoint({verb, *prepositions}):
                return None  # "warned of the collapse of the truce", "until the end of the truce"
            return self._told(above, stage)
        return stage

    def _told(self, verb: int, stage: Stage) -> Stage | None:
        """Return what the words at and above a predicate make of its step, None where it is not told as taken."""
        lists, clause = self.lexicon.lists, self.lexicon.made["clause"]
        at: Stage | None = stage
        for _ in range(_HIGHEST):
            at = self._modified(verb, at) if at else None
            if at is None:
                return None
            above, link = self._above(verb)
            if link == "conj" and above != verb and self.tokens[above].pos in {"VERB", "AUX"}:
                # "agreed to stop and respect": what governs the first governs the second
                verb = above
                above, link = self._above(verb)
            if above == verb and at in _KEPT and self.is_infinitive(verb):
                return Stage.AGREED  # a headline's future: "Army to observe truce for Eid"
            if self._hangs_on_a_text(above, link, at):
                if self.tokens[above].lemma not in lists["voted"]:
                    return self._climbed(above, asked=True)
                made = self._climbed(above)  # "failed to adopt a resolution": it still asks
                return Stage.CALLED_FOR if made is Stage.NEGOTIATING else made
            if above == verb or not self.first <= above < self.last or link not in _CLAUSES:
                return at
            word = self.tokens[above]
            if word.pos == "ADP":  # "pressed them into accepting"
                verb = above
                if word.lemma == "without":
                    return Stage.NEGOTIATING if at is Stage.AGREED else None
                continue
            purpose = self.is_infinitive(verb) and (word.lemma in clause or word.lemma in lists["told"])
            if link == "advcl" and not purpose:
                return at  # "as they announced a truce" is told whatever stands above; "met to discuss" is not
            at = self._governed(at, above, link)
            verb = above
        return at

    def _governed(self, stage: Stage, above: int, link: str) -> Stage | None:
        """Return what the word above a predicate makes of its step."""
        lists, key = self.lexicon.lists, self.tokens[above].lemma
        if key in lists["told"] or (key == "tell" and link == "ccomp"):
            return stage
        if key in lists["failed"]:
            ended = stage is Stage.IN_EFFECT and self._is_subject_of_failing(above)
            return Stage.ENDED if ended else Stage.NEGOTIATING
        if key == "order" and above > self.first and self.tokens[above - 1].lemma == "in":
            return self._operated(stage, Stage.NEGOTIATING, link)  # "in order to achieve a truce"
        operator = self.lexicon.made["clause"].get(key)
        if operator is None:
            return None
        if operator is Stage.CALLED_FOR:
            self.asker, self.urged = above, True
        return self._operated(stage, operator, link)

    def _hangs_on_a_text(self, noun: int, link: str, stage: Stage) -> bool:
        """Return whether what becomes of a text decides: "a plan to impose a truce", "a resolution demanding one"."""
        key, lists = self.tokens[noun].lemma, self.lexicon.lists
        if key in lists["voted"]:
            return link in {"acl", "relcl"} and stage is Stage.CALLED_FOR
        known = key in lists["told"] or key in lists["failed"] or key in self.lexicon.made["clause"]
        return link == "acl" and key in lists["asked"] and not known

    def _above(self, verb: int) -> tuple[int, str]:
        """Return what a verb hangs on, and how: "want the armies to stop" on "want", also if read with "armies"."""
        above, link = self.tokens[verb].head, self.tokens[verb].dep
        noun = self.tokens[above]
        if link in {"acl", "relcl"} and noun.dep == "dobj" and self.is_infinitive(verb):
            known = self.lexicon.lists["asked"] | self.lexicon.made["clause"].keys() | self.lexicon.lists["failed"]
            if noun.lemma not in known and self.tokens[noun.head].lemma in self.lexicon.made["clause"]:
                return noun.head, "ccomp"
        return above, link

    def _is_subject_of_failing(self, verb: int) -> bool:
        heads = {self.candidate.head, self.tokens[self.candidate.head].head}
        return any(i in heads and self.tokens[i].head == verb for i in range(self.first, self.last))

    def _operated(self, stage: Stage, operator: Stage, link: str) -> Stage | None:
        if stage is Stage.REJECTED or (stage is Stage.ENDED and operator is not Stage.AGREED):
            return None if operator in {Stage.CALLED_FOR, Stage.NEGOTIATING} else stage
        if operator is Stage.AGREED:
            return Stage.AGREED if stage in _KEPT else stage
        if operator is Stage.NEGOTIATING and (stage is Stage.IN_EFFECT or (stage is Stage.CALLED_FOR and self.urged)):
            return stage  # "will seek to persuade them to accept a truce" asks for it
        return operator

    def _modified(self, verb: int, stage: Stage) -> Stage | None:
        """Return what negation, doubt and time make of a step told by `verb`."""
        below = [w for i, w in self.numbered() if w.head == verb and i != verb]
        if self._is_conditional(verb, below):
            return None
        auxiliaries = {w.lemma for w in below if w.dep in {"aux", "auxpass"}}
        if any(w.dep == "neg" for w in below):
            if stage is Stage.IN_EFFECT and any(w.lemma == "never" for w in below):
                return Stage.ENDED
            if stage in {Stage.AGREED, Stage.CALLED_FOR} and auxiliaries & _REFUSING and self._is_consent(verb):
                return Stage.REJECTED  # "will not accept a truce", "would not be in favour of one"
            striven = stage is Stage.AGREED and self.tokens[verb].lemma in self.lexicon.lists["strive"]
            return Stage.NEGOTIATING if striven else None  # "did not get a commitment to the truce"
        if auxiliaries & _PERHAPS:
            return None
        if auxiliaries & _OUGHT:
            return Stage.CALLED_FOR if stage in _KEPT else None
        if auxiliaries & {"will", "would", "shall"}:
            return Stage.AGREED if stage in _KEPT else stage
        return stage

    def _is_conditional(self, verb: int, below: list[Word]) -> bool:
        """Return whether a step is told of no one: "if they agree", "if they attack, he would end the truce"."""
        if any(w.dep in {"mark", "advmod"} and w.lemma in self.lexicon.lists["condition"] for w in below):
            return True
        clauses = {i for i, w in self.numbered() if w.head == verb and w.dep == "advcl"}
        return any(w.head in clauses and w.lemma in _UNLESS for w in self.sentence)

    def _is_consent(self, verb: int) -> bool:
        """Return whether a verb says that one is willing: not to do it is to refuse."""
        consent = self.lexicon.lists["consent"]
        return self.tokens[verb].lemma in consent or any(
            f"{self.tokens[verb].lemma} {tail}" in consent for tail in self.tails(verb)
        )

    def _is_to_begin(self, at: int) -> bool:
        """Return whether it is agreed for later: "fighting is to stop on Monday under a ceasefire deal"."""
        up = [at]
        while len(up) < _HIGHEST and self.tokens[up[-1]].head != up[-1]:
            up.append(self.tokens[up[-1]].head)
        stop = self.lexicon.lists["stop"]
        verbs = [i for i in up if self.first <= i < self.last and self.tokens[i].lemma in stop]
        if not verbs or not any(self.tokens[i].lemma == "under" for i in up):
            return False
        return self.tokens[self.tokens[verbs[0]].head].lemma == "be" and self.tokens[verbs[0]].dep == "xcomp"
