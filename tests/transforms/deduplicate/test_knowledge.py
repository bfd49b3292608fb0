"""The stage's data files: they load, and what is wrong in one is told with file, place and reason."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from transforms.deduplicate.knowledge_files import parse_toml, read_toml, word_list
from transforms.deduplicate.sides import are_opposed, default_sides, sides_from, sides_of_name
from transforms.deduplicate.weights import default_weights, weights_from
from transforms.deduplicate.whereabouts import Relation, default_place_words, place_words_from, relation, spot_of
from transforms.deduplicate.words import name_key, telling_stems
from transforms.failures import KnowledgeError
from transforms.model import Place


def test_the_shipped_files_load() -> None:
    assert default_weights().bias < 0
    assert default_sides().opposed
    assert default_place_words().seats


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": "low"}, r"w\.toml: weights\.bias: expected a number"),
        ({"bias": True}, r"w\.toml: weights\.bias: expected a number"),
        ({"colour": 1.0}, r"w\.toml: weights: unknown colour"),
        ({"nothing_common": 0.5}, r"w\.toml: weights\.nothing_common: must be below 0"),
    ],
)
def test_weights_that_cannot_be_used(change: dict[str, object], message: str) -> None:
    with pytest.raises(KnowledgeError, match=message):
        weights_from({**asdict(default_weights()), **change}, "w.toml")


def test_missing_weights_are_named() -> None:
    with pytest.raises(KnowledgeError, match=r"w\.toml: weights: missing bias, kind_same"):
        weights_from({}, "w.toml")


def test_sides_that_cannot_be_used() -> None:
    with pytest.raises(KnowledgeError, match=r"s\.toml: no table \[sides\]"):
        sides_from({}, "s.toml")
    with pytest.raises(KnowledgeError, match=r"s\.toml: sides\.a: expected a list of words"):
        sides_from({"sides": {"a": []}}, "s.toml")
    with pytest.raises(KnowledgeError, match=r"s\.toml: opposed\.pairs, entry 1: expected two different sides"):
        sides_from({"sides": {"a": ["x"]}, "opposed": {"pairs": [["a", "b"]]}}, "s.toml")


def test_place_words_that_cannot_be_used() -> None:
    with pytest.raises(KnowledgeError, match=r"p\.toml: no table \[compass\]"):
        place_words_from({"loose": ["city"]}, "p.toml")
    with pytest.raises(KnowledgeError, match=r"p\.toml: seat, entry 1: expected names, country and covers"):
        place_words_from({"loose": ["city"], "compass": {}, "seat": [{"names": ["A"]}]}, "p.toml")


def test_files_that_cannot_be_read() -> None:
    with pytest.raises(KnowledgeError, match=r"x\.toml: .*; mend the TOML there"):
        parse_toml("a = ", "x.toml")
    with pytest.raises(KnowledgeError, match=r"no_such\.toml: cannot be read"):
        read_toml("no_such.toml")
    with pytest.raises(KnowledgeError, match=r"x\.toml: common: expected a list of words"):
        word_list(["a", 1], "x.toml: common")


def test_longer_names_win() -> None:
    assert sides_of_name("Syrian Democratic Forces") == {"kurdish_forces"}
    assert sides_of_name("the Syrian army and allied militants") == {"syrian_government", "rebels"}
    assert sides_of_name("قوات النظام") == {"syrian_government"}
    assert are_opposed(frozenset({"rebels"}), frozenset({"syrian_government"}))
    assert not are_opposed(frozenset({"rebels"}), frozenset())


@pytest.mark.parametrize("name", ["Hasaka", "Hassakeh", "al-Hasakah", "Al-Hasakeh"])
def test_transliterations_of_a_name_agree(name: str) -> None:
    assert name_key(name) == name_key("Hasakah")


def test_common_words_do_not_tell() -> None:
    assert telling_stems(["Warplanes", "killed", "wedding", "2016", "weddings"]) == {"wedd"}


def _town(name: str, adm1: str, adm2: str = "", lat: float | None = None, lon: float | None = None) -> Place:
    return Place(name=name, gazetteer_id=name, kind="town", adm1=adm1, adm2=adm2, lat=lat, lon=lon, precision=1)


_PROVINCE = Place(name="Idlib province", gazetteer_id="SY07", kind="adm1", adm1="SY07")
_GHOUTA = Place(name="Ghouta", gazetteer_id="a", kind="area", adm1="SY03", covers=("SY0302",))


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        pytest.param(_town("Sarmin", "SY07"), _PROVINCE, Relation.WITHIN, id="town in province"),
        pytest.param(_town("Douma", "SY03", "SY0302"), _GHOUTA, Relation.WITHIN, id="town in area"),
        pytest.param(Place(name="east Aleppo"), Place(name="western Aleppo"), Relation.APART, id="compass"),
        pytest.param(Place(name="Aleppo city"), Place(name="Aleppo"), Relation.SAME, id="loose words"),
        pytest.param(Place(name="Nowhere"), Place(name="Elsewhere"), Relation.UNKNOWN, id="unknown"),
        pytest.param(
            _town("A", "SY03", "", 33.57, 36.4), _town("B", "SY03", "", 33.56, 36.37), Relation.NEAR, id="near"
        ),
        pytest.param(_town("A", "SY03"), _town("B", "SY04"), Relation.APART, id="apart"),
    ],
)
def test_how_places_lie(one: Place, other: Place, wanted: Relation) -> None:
    assert relation(spot_of(one, "SY"), spot_of(other, "SY")) is wanted
    assert relation(spot_of(other, "SY"), spot_of(one, "SY")) is wanted
