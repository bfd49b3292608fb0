"""The words that everything else uses: articles, mentions, events and alerts as frozen records.

Field meanings follow the labelling guide that quality is measured by (family, stage, means, certainty) and the
conventions of conflict data (geo and time precision of ACLED, P-codes of OCHA). All times are aware and in UTC; all
days are `datetime.date`. Records become JSON only at the edges, through `msgspec`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Family(StrEnum):
    """What kind of event it is."""

    CEASEFIRE = "ceasefire"  # a step in the life of a ceasefire
    VIOLATION = "violation"  # an armed act set against a ceasefire
    HOSTILITY = "hostility"  # an armed act that is not


class Stage(StrEnum):
    """The step in a ceasefire's life."""

    CALLED_FOR = "called_for"
    NEGOTIATING = "negotiating"
    AGREED = "agreed"
    IN_EFFECT = "in_effect"
    EXTENDED = "extended"
    REJECTED = "rejected"
    ENDED = "ended"


class Means(StrEnum):
    """By what an armed act was done."""

    AIRSTRIKE = "airstrike"
    SHELLING = "shelling"
    GROUND = "ground"
    BOMBING = "bombing"
    SHOOTING = "shooting"
    CHEMICAL = "chemical"
    SIEGE = "siege"
    UNSPECIFIED = "unspecified"


class Realis(StrEnum):
    """Whether the text gives the act as real; only asserted and alleged acts may raise alerts."""

    ASSERTED = "asserted"
    ALLEGED = "alleged"
    DENIED = "denied"
    NEGATED = "negated"
    HYPOTHETICAL = "hypothetical"
    FUTURE = "future"
    BACKGROUND = "background"


class Basis(StrEnum):
    """Who says that an act breaks a ceasefire: the report itself, or the ledger of ceasefires in force."""

    REPORTED = "reported"
    INFERRED = "inferred"


class Change(StrEnum):
    """What an alert is to the ones before it of the same event."""

    NEW = "new"
    UPDATED = "updated"
    RETRACTED = "retracted"


class DatePrecision(StrEnum):
    """How exactly the day is known (ACLED's time precision 1, 2, 3)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One item of one feed, as plain text.

    Attributes:
        item_id: The feed's guid, else the canonical URL; unique within its feed.
        feed: Name of the feed in the configuration.
        outlet: Who publishes it; several feeds may share an outlet.
        url: Canonical http(s) link, or "".
        lang: Two-letter language code, declared by the feed or detected.
        title: Headline, plain text.
        summary: Teaser or description, plain text.
        text: Full text where the feed asks for it, else "".
        published: Publication time in UTC, clamped to the run's clock.
        fetched: The run's clock when it was read.
        content_hash: Hash of title, summary and text; a changed one makes a new revision of the article.
        owner: Who owns the outlet, or "".
        country: Two-letter code of the outlet's country, or "".
        state_affiliated: Whether a state owns or directs the outlet.
        flags: What was mended: "date_missing", "date_future", "date_ancient", "title_missing", "first_pull",
            "changed", "full_text_failed".
    """

    item_id: str
    feed: str
    outlet: str
    url: str = ""
    lang: str = "en"
    title: str = ""
    summary: str = ""
    text: str = ""
    published: datetime
    fetched: datetime
    content_hash: str = ""
    owner: str = ""
    country: str = ""
    state_affiliated: bool = False
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place as told, resolved against the gazetteer as far as it can be.

    Attributes:
        name: As spelled in the item.
        gazetteer_id: Id of the gazetteer's record, "" if unresolved.
        label: The gazetteer's English name, "" if unresolved.
        country: "SY" or "LY", "" if unresolved.
        kind: country, adm1, adm2, adm3, town, neighbourhood, area (a named region such as the Ghouta),
            site (an airport, base, crossing or the like) or "".
        adm1: P-code of the governorate (SY) or region (LY), "" if not known.
        adm2: P-code of the district, "" if not known.
        adm3: P-code of the sub-district, "" if not known.
        lat: Degrees north, WGS 84; None if unresolved.
        lon: Degrees east, WGS 84; None if unresolved.
        precision: ACLED's geo precision: 1 town or smaller, 2 near or area, 3 region.
        covers: P-codes that an area spans, for areas that are no administrative unit.
    """

    name: str
    gazetteer_id: str = ""
    label: str = ""
    country: str = ""
    kind: str = ""
    adm1: str = ""
    adm2: str = ""
    adm3: str = ""
    lat: float | None = None
    lon: float | None = None
    precision: int = 3
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An actor or target: as told, and its normalised id ("" where no known party matches)."""

    name: str
    party_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DateSpan:
    """When it happened: first and last day, both included, and how exactly that is known."""

    start: date
    end: date
    precision: DatePrecision = DatePrecision.DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The words that carry the event: `getattr(article, field)[start:end] == quote`, offsets in code points."""

    quote: str
    field: str  # title, summary or text
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One event as one article tells it.

    Attributes:
        mention_id: Hash of feed, item and what is told; the same article read again gives the same id.
        item_id, feed, outlet, owner, state_affiliated, url, lang, published, fetched: Those of its article.
        backlog: True where the article was already old (or undated) when its feed was first pulled.
        family, stage, means: What is told; `stage` for the ceasefire family, `means` for the others.
        country: "SY" or "LY".
        places, date, actors, targets, killed, injured: Slots as told; empty or None where not told.
        realis: Asserted, alleged, denied ...; the command `detect` prints asserted and alleged ones only.
        alleged_by: Who claims it, where it is alleged.
        evidence: The quote and where it stands.
        rule: Id of the rule or model decision that made it.
        rules_version: Version of lexicons, gazetteer and model together.
        signature: MinHash of the article's whole text, to recognise copies of one wire text; () if too short.
        wording: Sorted content words of the sentence, for comparing what two articles say.
    """

    mention_id: str
    item_id: str
    feed: str
    outlet: str
    owner: str = ""
    state_affiliated: bool = False
    url: str = ""
    lang: str = "en"
    published: datetime
    fetched: datetime
    backlog: bool = False
    family: Family
    stage: Stage | None = None
    means: Means | None = None
    country: str
    places: tuple[Place, ...] = ()
    date: DateSpan | None = None
    actors: tuple[Party, ...] = ()
    targets: tuple[Party, ...] = ()
    killed: int | None = None
    injured: int | None = None
    realis: Realis = Realis.ASSERTED
    alleged_by: str = ""
    evidence: Evidence
    rule: str = ""
    rules_version: str = ""
    signature: tuple[int, ...] = ()
    wording: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TollFigure:
    """One outlet's figure."""

    value: int
    outlet: str
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """Lowest and highest of the figures told, and who tells which; figures are empty where none is told."""

    low: int | None = None
    high: int | None = None
    figures: tuple[TollFigure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What subscribers were last told of an event; the next revision is measured against it.

    Attributes:
        revision: Number of the last alert, counted from 1.
        at: When it was told.
        retracted: Whether that alert took the event back.
        family, stage, means, certainty, ceasefire_id, basis: As told.
        killed: (low, high), injured: (low, high); None where not told.
        places: Gazetteer ids, or names where unresolved.
        date: (start, end) as ISO days, or ().
        outlets: As told.
        independent_outlets: As told.
        denied: Whether it was told that somebody denies it.
    """

    revision: int
    at: datetime
    retracted: bool = False
    denied: bool = False
    family: Family
    stage: Stage | None = None
    means: Means | None = None
    certainty: Realis = Realis.ASSERTED
    ceasefire_id: str = ""
    basis: Basis | None = None
    killed: tuple[int, int] | None = None
    injured: tuple[int, int] | None = None
    places: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()
    independent_outlets: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What outlets tell together.

    Attributes:
        event_id: Hash of the frozen key; never changes.
        key: The frozen key, readable: country, family, kind, place, day and first mention.
        family, stage, means, country, places, date, actors, targets, certainty: Merged from the mentions.
        killed, injured: Range over outlets, with the source of each figure.
        mentions: All mentions, by publication time then id.
        outlets: Who tells it, sorted.
        independent_outlets: Copies of one wire text, and state outlets of one owner, count once.
        first_seen: Publication time of the earliest mention.
        last_seen: Publication time of the latest mention.
        closed: Whether its horizon has passed; a closed event takes no more mentions.
        superseded_by: Id of the event that this one turned out to be, or "".
        told: What subscribers were last told, None if nothing yet.
    """

    event_id: str
    key: str
    family: Family
    stage: Stage | None = None
    means: Means | None = None
    country: str
    places: tuple[Place, ...] = ()
    date: DateSpan | None = None
    actors: tuple[Party, ...] = ()
    targets: tuple[Party, ...] = ()
    killed: Toll = Toll()
    injured: Toll = Toll()
    certainty: Realis = Realis.ASSERTED
    mentions: tuple[Mention, ...] = ()
    outlets: tuple[str, ...] = ()
    independent_outlets: int = 1
    first_seen: datetime
    last_seen: datetime
    closed: bool = False
    superseded_by: str = ""
    told: Told | None = None

    @property
    def revision(self) -> int:
        """Number of the last alert told, 0 before the first."""
        return self.told.revision if self.told else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventChange:
    """An event as it now is, and what changed in it.

    Attributes:
        event: The event after the change.
        what: Words for what changed: "new", "mention", "outlet", "toll", "place", "date", "actor", "certainty",
            "denied", "withdrawn", "merged", "closed".
    """

    event: Event
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvidence:
    """One quote that stands behind an alert."""

    item_id: str
    outlet: str
    url: str
    published: datetime
    quote: str
    field: str
    start: int
    end: int
    lang: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The event in the field's coding schemes."""

    cameo: str = ""
    plover: str = ""
    acled: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a subscriber is told: one revision of one event (the `data` of a CloudEvent).

    Attributes:
        event_id: The event's id; with `revision` it makes the alert's id, `<event_id>.<revision>`.
        revision: 1 for the first alert of an event, then counted on without gaps.
        change: new, updated or retracted.
        changed: Words for what changed since the last revision.
        certainty: "asserted" or "alleged" (a retraction may be "denied").
        ceasefire_id: The ceasefire that a violation breaks or that a step belongs to, "" if none is known.
        basis: For violations: reported by the item, or inferred from the ledger.
        denied_by: Who denies it: the party named, else the outlet that says so.
        told_at: The run's clock when the alert was raised.
        supersedes: Id of the event that this one takes in, "" otherwise; superseded_by: the reverse.
        other fields: as in `Event`.
    """

    event_id: str
    revision: int
    change: Change
    changed: tuple[str, ...] = ()
    family: Family
    stage: Stage | None = None
    means: Means | None = None
    certainty: Realis = Realis.ASSERTED
    alleged_by: tuple[str, ...] = ()
    denied_by: tuple[str, ...] = ()
    country: str
    places: tuple[Place, ...] = ()
    date: DateSpan | None = None
    actors: tuple[Party, ...] = ()
    targets: tuple[Party, ...] = ()
    killed: Toll = Toll()
    injured: Toll = Toll()
    ceasefire_id: str = ""
    ceasefire_name: str = ""
    basis: Basis | None = None
    evidence: tuple[AlertEvidence, ...] = ()
    outlets: tuple[str, ...] = ()
    independent_outlets: int = 1
    state_affiliated_outlets: tuple[str, ...] = ()
    first_seen: datetime
    told_at: datetime
    codes: Codes = Codes()
    rules_version: str = ""
    supersedes: str = ""
    superseded_by: str = ""

    @property
    def alert_id(self) -> str:
        """Stable over retries: the same id is the same alert."""
        return f"{self.event_id}.{self.revision}"
