"""Counters that every stage keeps, so that what goes in balances with what comes out.

For each stage: `in == out + failed + the sum over reasons of dropped.<reason>`, counted in inputs. What a stage makes
of its inputs is counted apart, as `made`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apache_beam.metrics import Metrics

NAMESPACE = "trucewatch"


def count(stage: str, outcome: str, n: int = 1) -> None:
    """Add `n` to the counter `<stage>.<outcome>`; outcomes: in, out, failed, made, dropped.<reason>."""
    if n:
        Metrics.counter(NAMESPACE, f"{stage}.{outcome}").inc(n)


def measure(stage: str, what: str, value: int) -> None:
    """Add `value` to the distribution `<stage>.<what>`, of which Beam tells count, sum, least and greatest."""
    Metrics.distribution(NAMESPACE, f"{stage}.{what}").update(value)


def imbalances(counters: Mapping[str, int], stages: Iterable[str]) -> dict[str, int]:
    """Return, for each stage that does not balance, inputs minus outcomes (empty when all is accounted for)."""
    wrong: dict[str, int] = {}
    for stage in stages:
        spent = counters.get(f"{stage}.out", 0) + counters.get(f"{stage}.failed", 0)
        spent += sum(n for name, n in counters.items() if name.startswith(f"{stage}.dropped."))
        difference = counters.get(f"{stage}.in", 0) - spent
        if difference:
            wrong[stage] = difference
    return wrong
