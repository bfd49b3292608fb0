"""The gazetteer's data: what it holds, what it refuses, and that its build gives what is shipped."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from subprocess import run
from sys import executable

import pytest

from transforms.detect.countries import compile_countries
from transforms.detect.places import compile_cues
from transforms.detect.places_data import alike, build, gazetteer, name_parts, sound
from transforms.detect.slot_data import parse_toml
from transforms.failures import KnowledgeError

HEADER = "id,kind,label,country,adm1,adm2,adm3,lat,lon,population,names\n"
ROOT = Path(__file__).resolve().parents[3]


def table(*rows: str) -> list[tuple[str, str]]:
    return [("syria.csv", HEADER + "".join(row + "\n" for row in rows))]


GOVERNORATE = "SY07,adm1,Idleb,SY,SY07,,,35.9,36.6,0,"


def test_every_governorate_district_and_region_is_there() -> None:
    records = gazetteer().records
    assert len([one for one in records if one.country == "SY" and one.kind == "adm1"]) == 14
    assert len([one for one in records if one.country == "SY" and one.kind == "adm2"]) == 61
    assert len([one for one in records if one.country == "SY" and one.kind == "adm3"]) == 270
    assert len([one for one in records if one.country == "LY" and one.kind == "adm1"]) == 3
    assert len([one for one in records if one.country == "LY" and one.kind == "adm2"]) == 22
    assert len([one for one in records if one.country == "SY" and one.kind == "town"]) > 5000


def test_every_record_lies_in_its_country_or_its_sea() -> None:
    for one in gazetteer().records:
        assert one.lat is not None
        assert one.lon is not None
        if one.country == "SY":
            assert 32 < one.lat < 38
            assert 35 < one.lon < 43
        else:
            assert 19 < one.lat < 34
            assert 9 < one.lon < 26


def test_parents_are_of_one_line() -> None:
    for one in gazetteer().records:
        assert not one.adm2 or one.adm2.startswith(one.adm1)
        assert not one.adm3 or one.adm3.startswith(one.adm2)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["SY07,adm1,Idleb,SY,SY07,,,35.9,36.6,0"], "line 2: expected 11 columns, found 10"),
        ([GOVERNORATE, GOVERNORATE], "line 3: id 'SY07' stands twice"),
        (["C1,town,X,SY,SY99,,,35,36,0,"], "unknown parent 'SY99'"),
        (["C1,hamlet,X,SY,,,,35,36,0,"], "line 2: unknown kind 'hamlet'"),
        (["C1,town,X,IQ,,,,35,36,0,"], "line 2: unknown country 'IQ'"),
        (["C1,town,X,SY,,,,north,36,0,"], "line 2: could not convert"),
        (["C1,town,X,SY,,,,95,36,0,"], "line 2: 95, 36 lies on no globe"),
        (['C1,town,"X,SY,,,,35,36,0,'], "line 2: unexpected end of data"),
        ([",town,X,SY,,,,35,36,0,"], "line 2: id '' is missing"),
    ],
)
def test_a_bad_row_is_named_with_file_line_and_reason(rows: list[str], reason: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        build(table(*rows), {}, {})
    assert reason in str(caught.value)
    assert "syria.csv" in str(caught.value) or "gazetteer" in str(caught.value)


def test_a_table_without_its_header_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=r"syria\.csv: line 1: expected the columns"):
        build([("syria.csv", GOVERNORATE + "\n")], {}, {})


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ({"id": "SY07", "label": "X", "country": "SY", "kind": "area", "names": []}, "this id stands twice"),
        ({"label": "X", "country": "SY", "kind": "area", "names": []}, "it has no id"),
        (
            {"id": "x", "label": "X", "country": "SY", "kind": "area", "within": "SY99", "names": []},
            "unknown place 'SY99'",
        ),
        ({"id": "x", "label": "X", "country": "SY", "kind": "areal", "names": []}, "unknown kind"),
        ({"id": "x", "colour": 1}, "unknown key 'colour'"),
    ],
)
def test_a_bad_area_is_refused(place: dict[str, object], reason: str) -> None:
    with pytest.raises(KnowledgeError, match=reason):
        build(table(GOVERNORATE), {"place": [place]}, {})


def test_a_spelling_of_no_place_is_refused() -> None:
    with pytest.raises(KnowledgeError, match="no place of this id"):
        build(table(GOVERNORATE), {}, {"spelling": [{"id": "C0", "names": ["X"]}]})


def test_toml_that_does_not_parse_is_named_with_its_line() -> None:
    with pytest.raises(KnowledgeError, match=r"places\.toml: .*line 2"):
        parse_toml("[words]\ncues = x", "places.toml")


def test_a_country_that_stands_twice_is_refused() -> None:
    twice = {"country": [{"code": "SY", "weight": 1}, {"code": "SY", "weight": 1}]}
    with pytest.raises(KnowledgeError, match="stands twice"):
        compile_countries(twice, "places.countries.toml")


def test_an_unknown_list_of_cues_is_refused() -> None:
    with pytest.raises(KnowledgeError, match="unknown key 'town_beside'"):
        compile_cues({"town_beside": ["x"]}, "places.toml")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Saraqeb", "Saraqib"),
        ("Suwayda", "Sweida"),
        ("Hasakeh", "Hassaka"),
        ("Sheikhoun", "Shaykhun"),
        ("Zawiya", "Zawiyah"),
    ],
)
def test_spellings_of_one_name_sound_alike(one: str, other: str) -> None:
    assert sound(one.lower()) == sound(other.lower())


def test_other_words_are_not_alike() -> None:
    assert not alike("commons", "qaminis")
    assert alike("maaret", "maarrat")


def test_articles_are_no_part_of_a_name() -> None:
    assert name_parts("Deir ez-Zor") == name_parts("Deir al-Zor") == ("deir", "zor")
    assert name_parts("Al-Bab") == ("bab",)


def test_the_shipped_tables_are_what_the_build_gives(shared_dir: Path, tmp_path: Path) -> None:
    sources = shared_dir / "gazetteer"
    command = [executable, str(ROOT / "deploy" / "gazetteer" / "build_gazetteer.py"), "--out", str(tmp_path)]
    command += [
        "--syria",
        str(sources / "syria_places.csv"),
        "--libya-districts",
        str(sources / "libya_admin2_pcodes.csv"),
    ]
    command += ["--geonames", str(sources / "geonames_cities500_SY_LY.jsonl")]
    run(command, check=True, capture_output=True)
    shipped = resources.files("transforms.detect") / "gazetteer"
    for name in ("syria.csv", "libya.csv"):
        assert (tmp_path / name).read_bytes() == (shipped / name).read_bytes()
