"""Laws of folding and of Arabic clitics: what writers vary changes nothing, and the way back is exact."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.detect.arabic import stems
from transforms.detect.folding import fold, fold_text

ARABIC_LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهويءأإآىةؤئ"
SIGNS = "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0670\u0640"
words = st.text(alphabet=ARABIC_LETTERS, min_size=2, max_size=9)
texts = st.text(alphabet=ARABIC_LETTERS + SIGNS + " ،؟٠١٢abİıéЁйœ'’", max_size=60)


@given(st.text(max_size=80))
def test_folding_is_idempotent(text: str) -> None:
    folded = fold(text).text
    assert fold(folded).text == folded


@given(st.text(max_size=80))
def test_text_only_folding_is_the_same(text: str) -> None:
    assert fold(text).text == fold_text(text)


@given(texts)
def test_composed_and_decomposed_fold_alike(text: str) -> None:
    assert fold_text(unicodedata.normalize("NFC", text)) == fold_text(unicodedata.normalize("NFD", text))


@given(words, st.lists(st.sampled_from(SIGNS), min_size=1, max_size=6), st.integers(min_value=0, max_value=9))
def test_signs_and_stretches_change_nothing(word: str, signs: list[str], at: int) -> None:
    at = min(at, len(word))
    assert fold_text(word[:at] + "".join(signs) + word[at:]) == fold_text(word)


@given(texts, st.data())
def test_spans_lead_back_to_the_words_they_come_from(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    start = data.draw(st.integers(min_value=0, max_value=len(folded.text)))
    end = data.draw(st.integers(min_value=start, max_value=len(folded.text)))
    first, last = folded.span(start, end)
    assert 0 <= first <= last <= len(text)
    assert folded.quote(start, end) == text[first:last]
    assert folded.text[start:end] in fold_text(text[first:last])


@given(words, st.sampled_from(["", "و", "ف"]), st.sampled_from(["", "ب", "ك", "ل"]))
def test_a_word_is_found_under_its_clitics(word: str, conjunction: str, preposition: str) -> None:
    plain = fold_text(word)
    assert plain in stems(conjunction + preposition + plain)
    article = "ل" if preposition == "ل" else "ال"
    assert plain in stems(conjunction + preposition + article + plain)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("الهُدْنَة", "هدنه"),
        ("وبالهدنة", "هدنه"),
        ("للهدنة", "هدنه"),
        ("فلهدنة", "هدنه"),
        ("كالقصف", "قصف"),
        ("بإدلب", "ادلب"),
        ("ولإدلب", "ادلب"),
        ("وقفــــاً", "وقفا"),
    ],
)
def test_forms_that_news_uses(written: str, plain: str) -> None:
    assert plain in stems(fold_text(written))


def test_digits_of_both_arabic_sets_become_ascii() -> None:
    assert fold_text("٢٠١٦ ۲۰۱۶") == "2016 2016"


@pytest.mark.parametrize("text", ["İdlib", "IDLIB", "idlib", "ıdlıb"])
def test_the_turkish_i_is_one_letter(text: str) -> None:
    assert fold_text(text) == "idlib"
