#!/usr/bin/env python3
r"""Build the shipped gazetteer from its sources; standard library only.

    build_gazetteer.py --syria syria_places.csv --libya-districts libya_admin2_pcodes.csv \
        --geonames geonames_cities500_SY_LY.jsonl --out transforms/detect/gazetteer

Sources and licences: transforms/detect/gazetteer/SOURCES.md. Nothing of OpenStreetMap goes in. A GeoNames place of
Syria lends its population and spellings to the OCHA place of the same name beside it; one that OCHA does not have is
left out there, and is a record of its own in Libya. The output is sorted, so that the same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import unicodedata
from pathlib import Path

FIELDS = ["id", "kind", "label", "country", "adm1", "adm2", "adm3", "lat", "lon", "population", "names"]
NOT_PLACES = {"Unknown", "Presidential Palace", "Tishreen Garden", "Baghdad", "Falastin"}
SCRIPTS = re.compile(r"^[\W\dA-Za-z\u00c0-\u024f\u1e00-\u1eff]+$|^[\W\d\u0600-\u06ff]+$|^[\W\d\u0400-\u04ff]+$")
LATIN = re.compile(r"^[\W\dA-Za-z\u00c0-\u024f\u1e00-\u1eff]+$")
SYRIA_NEAR_KM = 4.0

# GeoNames' first level in Libya is OCHA's second.
LIBYA_DISTRICTS = {
    "63": "LY0106", "64": "LY0317", "65": "LY0107", "66": "LY0102", "67": "LY0215", "68": "LY0213", "69": "LY0103",
    "70": "LY0101", "71": "LY0321", "72": "LY0214", "73": "LY0322", "74": "LY0209", "75": "LY0319", "76": "LY0208",
    "77": "LY0211", "78": "LY0318", "79": "LY0104", "80": "LY0216", "81": "LY0212", "82": "LY0210", "83": "LY0105",
    "84": "LY0320",
}  # fmt: skip
# GeoNames puts these in a neighbouring district's seat.
LIBYA_REGIONS = {
    "LY01": ("Eastern Libya", 29.0, 22.5),
    "LY02": ("Western Libya", 31.5, 13.5),
    "LY03": ("Southern Libya", 26.0, 14.0),
}


def clean(name: str) -> str:
    name = unicodedata.normalize("NFC", re.sub(r"\s+", " ", name or "").strip())
    return "" if "\ufffd" in name else name


def sound(name: str) -> str:
    """A rough sound of a Latin name, to tell the same name in two spellings."""
    name = "".join(c for c in unicodedata.normalize("NFKD", name).lower() if c.isalnum() or c == " ")
    name = re.sub(r"\b(al|el|ad|ash|an|ar|as|at|az)\b", " ", name)
    for old, new in (
        ("kh", "k"),
        ("gh", "g"),
        ("q", "k"),
        ("sh", "s"),
        ("th", "t"),
        ("dh", "d"),
        ("y", "i"),
        ("w", "u"),
    ):
        name = name.replace(old, new)
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiou ]|h$", "", name))


def distance_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.hypot(a[0] - b[0], (a[1] - b[1]) * math.cos(math.radians(a[0]))) * 111.2


def plain_latin(name: str) -> str:
    """A Latin name without accents and with plain apostrophes; other scripts as they are."""
    if not LATIN.match(name):
        return name
    name = name.translate(str.maketrans({"ı": "i", "İ": "I", "ð": "d", "ø": "o", "ł": "l"}))
    name = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.sub("[ʿʾ‘’`´ʼ]", "'", name)


def spellings(names: list[str], known: list[str], limit: int) -> list[str]:
    """Names in Latin, Arabic or Cyrillic letters; of the Latin ones those that sound like a known name, no old ones."""
    sounds = {sound(name) for name in known if LATIN.match(name)}
    out: list[str] = []
    for name in (plain_latin(clean(name)) for name in names):
        if len(name) < 3 or not SCRIPTS.match(name) or "|" in name or name in out:
            continue
        if name.isascii() and (name.isupper() or name.islower()):
            continue  # airport codes and machine transliterations
        if LATIN.match(name) and sound(name) not in sounds:
            continue
        out.append(name)
    return out[:limit]


def syria(path: Path, geonames: list[dict]) -> list[dict]:
    rows = []
    by_sound: dict[str, list[dict]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            label = clean(row["name_en"]).replace("Mashrou3", "Mashrou").replace("Old Damasus", "Old Damascus")
            if label in NOT_PLACES:
                continue
            kind = {
                "admin1": "adm1",
                "admin2": "adm2",
                "admin3": "adm3",
                "place": "town",
                "neighbourhood": "neighbourhood",
            }[row["level"]]
            names = [clean(part) for part in re.split(r"\s+[-/]\s+", label)] if re.search(r"\s[-/]\s", label) else []
            arabic = clean(row["name_ar"]).replace("مركز ", "").replace("مدينة ", "").replace("_", "|")
            names += [clean(part) for part in arabic.split("|") if clean(part)]
            names = [one for one in dict.fromkeys(names) if one and one != label]
            district = (
                {"C1001": ("SY01", "SY0100", "SY010000")}.get(row["pcode"][:5]) if kind == "neighbourhood" else None
            )
            record = {
                "id": row["pcode"], "kind": kind, "label": label.removeprefix("Markaz "), "country": "SY",
                "adm1": district[0] if district else row["admin1_pcode"],
                "adm2": district[1] if district else row["admin2_pcode"],
                "adm3": district[2] if district else row["admin3_pcode"],
                "lat": round(float(row["lat"]), 4), "lon": round(float(row["lon"]), 4), "population": 0, "names": names,
            }  # fmt: skip
            rows.append(record)
            if kind == "town":
                by_sound.setdefault(sound(record["label"]), []).append(record)
                for name in names:
                    if name.isascii():
                        by_sound.setdefault(sound(name), []).append(record)
    arabic_index: dict[str, list[dict]] = {}
    for record in rows:
        if record["kind"] == "town":
            for name in record["names"]:
                arabic_index.setdefault(name, []).append(record)
    for place in geonames:
        if place["countrycode"] != "SY":
            continue
        here = (place["latitude"], place["longitude"])
        names = [place["name"], *place["alternatenames"]]
        near = [
            record
            for name in names
            for record in (*by_sound.get(sound(name), ()), *arabic_index.get(name, ()))
            if distance_km(here, (record["lat"], record["lon"]))
            <= SYRIA_NEAR_KM * (3 if place["population"] > 50000 else 1)
        ]
        if near:
            record = min(near, key=lambda one: distance_km(here, (one["lat"], one["lon"])))
            record["population"] = max(record["population"], place["population"])
            own = {record["label"], *record["names"]}
            record["names"] += [
                name for name in spellings(names, [record["label"], place["name"]], 24) if name not in own
            ]
    return rows


def record(own: str, kind: str, label: str, codes: tuple[str, str], at: tuple[float, float], **more: object) -> dict:
    row = {"id": own, "kind": kind, "label": label, "country": "LY", "adm1": codes[0], "adm2": codes[1], "adm3": ""}
    return {**row, "lat": round(at[0], 4), "lon": round(at[1], 4), "population": 0, "names": [], **more}


def libya(districts: Path, geonames: list[dict]) -> list[dict]:
    rows = [record(code, "adm1", label, (code, ""), (lat, lon)) for code, (label, lat, lon) in LIBYA_REGIONS.items()]
    places = [place for place in geonames if place["countrycode"] == "LY"]
    with districts.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code = row["admin2_pcode"]
            inside = [one for one in places if LIBYA_DISTRICTS.get(one["admin1code"]) == code]
            weight = sum(one["population"] for one in inside) or 1
            lat = sum(one["latitude"] * one["population"] for one in inside) / weight
            lon = sum(one["longitude"] * one["population"] for one in inside) / weight
            label, _, other = row["admin2_en"].partition(" (")
            names = [other.rstrip(")")] if other else []
            rows.append(record(code, "adm2", label, (row["admin1_pcode"], code), (lat, lon), names=names))
    for place in places:
        code = LIBYA_DISTRICTS.get(place["admin1code"], "")
        label = clean(place["name"])
        names = [one for one in spellings([place["name"], *place["alternatenames"]], [label], 24) if one != label]
        at = (place["latitude"], place["longitude"])
        own = f"gn{place['geonameid']}"
        rows.append(record(own, "town", label, (code[:4], code), at, population=place["population"], names=names))
    return rows


def write(rows: list[dict], path: Path) -> None:
    order = {"adm1": 0, "adm2": 1, "adm3": 2, "town": 3, "neighbourhood": 4}
    rows.sort(key=lambda one: (order[one["kind"]], one["id"]))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, "names": "|".join(row["names"])})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--syria", type=Path, required=True, help="OCHA places of Syria (CSV)")
    parser.add_argument("--libya-districts", type=Path, required=True, help="districts of Libya with P-codes (CSV)")
    parser.add_argument("--geonames", type=Path, required=True, help="GeoNames places of both countries (JSON lines)")
    parser.add_argument("--out", type=Path, required=True, help="folder that syria.csv and libya.csv are written to")
    args = parser.parse_args()
    geonames = [json.loads(line) for line in args.geonames.read_text(encoding="utf-8").splitlines() if line.strip()]
    for name, rows in (("syria", syria(args.syria, geonames)), ("libya", libya(args.libya_districts, geonames))):
        write(rows, args.out / f"{name}.csv")
        print(f"{name}.csv: {len(rows)} places")


if __name__ == "__main__":
    main()
