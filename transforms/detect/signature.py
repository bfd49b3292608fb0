"""A short fingerprint of a whole text, by which copies of one wire story are recognised later.

MinHash over shingles of three words: two texts share about as many positions of their signatures as they share shingles
(Jaccard). Sixty-four positions tell copies and light edits (0.5 and more) from other texts (under 0.1) with room to
spare, and stay small enough to keep with every mention.
"""

from __future__ import annotations

import re
import unicodedata

from rensa import RMinHash

PERMUTATIONS = 64
SHINGLE = 3
SEED = 20110315  # frozen: signatures in the store must stay comparable
_FEWEST_WORDS = 12  # shorter texts are alike by chance

_WORD = re.compile(r"[^\W_]+")


def signature_of(text: str) -> tuple[int, ...]:
    """Return the MinHash signature of `text`, or () when it is too short to tell a copy from a coincidence.

    Case, punctuation, accents and Arabic vowel signs do not count, so that a copy stays a copy across feeds.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    words = _WORD.findall(plain)
    if len(words) < _FEWEST_WORDS:
        return ()
    sketch = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    sketch.update([" ".join(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)])
    return tuple(sketch.digest())
