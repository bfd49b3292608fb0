"""The quote that carries an event: the clause around its trigger, at most 200 characters, exact."""

from __future__ import annotations

from transforms.detect.deciding import Judged
from transforms.detect.reading import Reading
from transforms.model import Evidence

LONGEST = 200
_CLAUSE = {"ROOT", "ccomp", "advcl", "relcl", "conj", "parataxis", "acl"}


def evidence_of(reading: Reading, judged: Judged) -> Evidence:
    """Return the shortest clause around the trigger that is told by its verb, cut to 200 characters."""
    start, end = _clause(reading, judged)
    words = reading.words
    trigger_start = words[judged.candidate.first].start
    trigger_end = words[judged.candidate.last - 1].end
    start, end = min(start, trigger_start), max(end, trigger_end)
    if end - start > LONGEST:
        start, end = _cut(reading, judged, start, end, trigger_start, trigger_end)
    text = reading.text
    while start < trigger_start and (text[start].isspace() or text[start] in ",;:.-–—)”’»"):
        start += 1
    while end > trigger_end and (text[end - 1].isspace() or text[end - 1] in ",;:-–—(“«"):
        end -= 1
    return reading.laid.evidence(start, end)


def _clause(reading: Reading, judged: Judged) -> tuple[int, int]:
    """Return the span of the verb's subtree that the trigger stands in, the whole sentence without a parse."""
    sentence = judged.candidate.sentence
    if reading.lang != "en":
        return sentence.start, sentence.end
    words = reading.words
    top = judged.candidate.head
    for _ in range(20):
        word = words[top]
        if word.pos in {"VERB", "AUX"} and word.dep in _CLAUSE:
            break
        if word.head == top or not sentence.first <= word.head < sentence.last:
            break
        top = word.head
    inside = [i for i in range(sentence.first, sentence.last) if _under(reading, i, top)]
    if not inside:
        return sentence.start, sentence.end
    return words[inside[0]].start, words[inside[-1]].end


def _under(reading: Reading, index: int, top: int) -> bool:
    for _ in range(60):
        if index == top:
            return True
        head = reading.words[index].head
        if head == index or head < 0:
            return False
        index = head
    return False


def _cut(
    reading: Reading, judged: Judged, start: int, end: int, trigger_start: int, trigger_end: int
) -> tuple[int, int]:
    """Shorten a clause to whole words around the trigger."""
    if trigger_end - start <= LONGEST:
        limit = start + LONGEST
        ends = [w.end for w in reading.words[judged.candidate.first : judged.candidate.sentence.last] if w.end <= limit]
        return start, max([trigger_end, *ends]) if max([trigger_end, *ends]) - start <= LONGEST else limit
    room = max(0, (LONGEST - (trigger_end - trigger_start)) // 2)
    words = reading.words[judged.candidate.sentence.first : judged.candidate.sentence.last]
    first = min((w.start for w in words if w.start >= trigger_start - room), default=trigger_start)
    last = max((w.end for w in words if w.end <= trigger_end + room), default=trigger_end)
    first, last = min(first, trigger_start), max(last, trigger_end)
    return first, min(last, first + LONGEST)
