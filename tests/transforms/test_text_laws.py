"""Laws of the text and the addresses that everything else rests on."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from transforms.ingest.identity import canonical_url
from transforms.text import plain

ADDRESSES = st.builds(
    "{}://{}{}{}{}".format,
    st.sampled_from(["http", "https", "HTTP"]),
    st.sampled_from(
        ["news.example", "NEWS.example:443", "www.news.example.", "münchen.example", "[::1]:8080", "u:p@a.example"]
    ),
    st.text("abcÄ /%2F.;~é\u202e", max_size=20).map(lambda path: "/" + path),
    st.sampled_from(["", "?", "?utm_source=rss&id=7", "?b=2&a=1&fbclid=x", "?q=%E2%80%AE", "?x=a b"]),
    st.sampled_from(["", "#", "#top", "#!/route"]),
)


@given(st.one_of(ADDRESSES, st.text(max_size=60)))
@example("https://a.example/?utm_campaign=1#x")
@example("HTTPS://A.example:443/a/../b/./c?z=1&utm_medium=feed")
def test_the_canonical_url_is_its_own_canonical_url(url: str) -> None:
    once = canonical_url(url)
    assert canonical_url(once) == once
    assert once == "" or once.startswith(("http://", "https://"))
    assert "#" not in once or "#!" in url


@given(st.text(max_size=200))
@example("a\u200b\u0301\u00adb\x00 \ud800 \u2028 e\u0301")
@example("\u0628\u064e\u0640\u200f\u061c")
def test_plain_text_is_plain_already(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert not set(once) & set("\x00\x1b\x7f\u202e\u2066\ufeff\n\t")
