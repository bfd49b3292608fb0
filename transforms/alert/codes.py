"""CAMEO, PLOVER and ACLED codes of an event, from the table `codes.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from transforms.alert.parties import known_ranks
from transforms.failures import KnowledgeError
from transforms.model import Codes, Family, Means, Party, Realis, Stage

FILE = "alert/codes.toml"
_STEPS = {*Stage, "declared"}
_CLASHING = "Battles: Armed clash"


@cache
def load_codes() -> dict[str, dict[str, Codes]]:
    """Return the table: group (ceasefire, breach, means), then kind, to codes.

    Raises:
        KnowledgeError: A group, a kind or a scheme is missing or unknown.
    """
    return parse_codes((resources.files("transforms.alert") / "codes.toml").read_text(encoding="utf-8"))


def parse_codes(text: str, file: str = FILE) -> dict[str, dict[str, Codes]]:
    """Return the table written in `text`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{file}: not valid TOML: {error}") from error
    expected = {"ceasefire": _STEPS, "breach": {"asserted", "alleged"}, "means": set(Means)}
    for group, kinds in expected.items():
        if missing := sorted(kinds ^ set(tables.get(group, {}))):
            raise KnowledgeError(f"{file}: [{group}.{missing[0]}] is missing or unknown")
    try:
        return {group: {kind: Codes(**tables[group][kind]) for kind in kinds} for group, kinds in expected.items()}
    except TypeError as error:
        raise KnowledgeError(f"{file}: {error}; the schemes are cameo, plover and acled") from error


def codes_of(
    family: Family,
    *,
    stage: Stage | None = None,
    means: Means | None = None,
    certainty: Realis = Realis.ASSERTED,
    actors: tuple[Party, ...] = (),
    targets: tuple[Party, ...] = (),
) -> Codes:
    """Return the codes of an event.

    Args:
        family: What kind of event it is.
        stage: For ceasefires.
        means: For armed acts.
        certainty: An alleged breach is coded as an accusation.
        actors: An agreement by one party alone is a declaration; shooting between armed parties is a clash.
        targets: As told.
    """
    table = load_codes()
    if family is Family.CEASEFIRE:
        step = str(stage or Stage.CALLED_FOR)
        if stage is Stage.AGREED and len(_distinct(actors) | _distinct(targets)) < 2:
            step = "declared"
        return table["ceasefire"][step]
    act = table["means"][means or Means.UNSPECIFIED]
    if means is Means.SHOOTING and _armed(actors) and _armed(targets):
        act = Codes(cameo=act.cameo, plover=act.plover, acled=_CLASHING)
    if family is Family.HOSTILITY:
        return act
    breach = table["breach"]["alleged" if certainty is Realis.ALLEGED else "asserted"]
    return Codes(cameo=breach.cameo, plover=breach.plover or act.plover, acled=act.acled)


def acled_types(codes: Codes) -> tuple[str, str]:
    """Return ACLED's event type and sub-event type, "" for what is not coded."""
    event_type, _, sub_event_type = codes.acled.partition(": ")
    return event_type, sub_event_type


def _armed(parties: tuple[Party, ...]) -> bool:
    ranks = known_ranks()
    return any(party.party_id and ranks.armed(party.party_id) for party in parties)


def _distinct(parties: tuple[Party, ...]) -> frozenset[str]:
    return frozenset(party.party_id or party.name.casefold() for party in parties)
