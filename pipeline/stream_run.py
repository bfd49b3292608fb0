"""A stream from its start to its end: hand it to an engine, show what it tells, stop it when asked."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineState

from pipeline.config import Config
from pipeline.engines import STREAM_RUNNERS
from pipeline.run import counters_of
from pipeline.store.store import Store
from pipeline.stream import Schedule, build_stream, deliver_alerts, log_failures, stream_from, ticks_of
from pipeline.stream_beat import Pulse
from pipeline.stream_sources import ArticlesPublished
from transforms import failures
from transforms.failures import EngineError, TrucewatchError
from transforms.model import Alert
from transforms.sinks.registry import sinks_of

log = logging.getLogger("trucewatch")

_LOOK_S = 1.0
_OWN_ERROR = re.compile(r"\b(?:transforms\.failures\.)?(\w+Error): ([^\n\\]+)")
_BEAMS_NOTE = re.compile(r" \[while running '.*", re.DOTALL)  # where it was raised, which no user can do anything about


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamJob:
    """What a stream is started with.

    Attributes:
        config: Feeds and settings.
        schedule: When to poll, and whose clock holds.
        runner: Short name of the engine.
        flags: Beam's flags for it, complete.
        subscription: Pub/Sub subscription to read articles from in the place of feeds, "" for feeds.
    """

    config: Config
    schedule: Schedule
    runner: str
    flags: Sequence[str]
    subscription: str = ""


def pipeline_of(job: StreamJob, store_url: str) -> beam.Pipeline:
    """Return the pipeline of `job`, ready to be run."""
    # What a stream raises is told once, by the command; Beam would print the traceback of every attempt.
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    options = PipelineOptions([f"--runner={STREAM_RUNNERS[job.runner]}", "--no_save_main_session", *job.flags])
    pipeline = beam.Pipeline(options=options)
    # In a replay every tick reads every feed, however soon after the last one.
    due_only = not job.schedule.replay
    fetch = dataclasses.replace(job.config.fetch, respect_interval=due_only)
    config = dataclasses.replace(job.config, fetch=fetch)
    if job.subscription:
        published = pipeline | "ArticlesPublished" >> ArticlesPublished(job.subscription, job.schedule)
        # The local runner of Beam has no clock of its own; there only news wakes a country.
        ticks = None if job.runner == "direct" else ticks_of(pipeline, job.schedule)
        told = stream_from(published, ticks, config, job.schedule, store_url)
    else:
        told = build_stream(ticks_of(pipeline, job.schedule), config, job.schedule, store_url)
    if not store_url:
        deliver_alerts(told["alerts"], config)
        log_failures(told["failures"])
    return pipeline


def run_stream(
    job: StreamJob,
    store: Store | None,
    stop: threading.Event,
    show: Callable[[Sequence[Alert]], None] = lambda _: None,
    *,
    pulse: Pulse | None = None,
    detach: bool = False,
) -> dict[str, int]:
    """Run a stream until it ends or `stop` is set, and return its counters.

    Args:
        job: What to run.
        store: Where state is kept, None to keep it in the engine alone; held for as long as the stream is watched.
        stop: Set to stop the stream; what it had not committed is read again by the next one.
        show: Told of each alert as it is committed.
        pulse: Told, every second, of what was committed since.
        detach: Hand the job over and come back at once.

    Raises:
        StoreBusyError: A run or another stream holds the store.
        EngineError: The engine does not take the job, or gives it up.
        TrucewatchError: What a worker raised, if it was one of ours.
    """
    with store.lock("run") if store else contextlib.nullcontext():
        if store:
            store.outbox.set_sinks(sink.name for sink in sinks_of(job.config.sinks))
        told = _Told(store)
        try:
            result = pipeline_of(job, store.url if store else "").run()
        except Exception as error:  # noqa: BLE001  engines raise what their transports raise; it is told as a sentence
            raise _plain(error, f"{job.runner} did not take the job") from None
        if detach:
            return {}
        try:
            for alerts in _watched(result, told, stop):
                show(alerts)
                if pulse:
                    pulse.beat(result, alerts)
        except BrokenPipeError:
            result.cancel()  # whoever read our results has left
            raise
        except Exception as error:  # noqa: BLE001  engines raise what their transports raise; it is told as a sentence
            raise _plain(error, f"the stream on {job.runner} failed") from None
        last = told.news()
        show(last)
        if pulse:
            pulse.beat(result, last, now=True)
        return counters_of(result)


def _watched(result: beam.runners.runner.PipelineResult, told: _Told, stop: threading.Event) -> Iterator[list[Alert]]:
    """Yield new alerts until the stream ends; an end that was not asked for and is none raises."""
    while not PipelineState.is_terminal(result.state):
        if stop.wait(_LOOK_S):
            result.cancel()
            return
        yield told.news()
    result.wait_until_finish()  # raises what the job failed with


class _Told:
    """Which of the store's alerts have been shown."""

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._ids = {alert.alert_id for alert in store.alerts()} if store else set()

    def news(self) -> list[Alert]:
        """Return what was committed since the last time."""
        if self._store is None:
            return []
        fresh = [alert for alert in self._store.alerts(limit=500) if alert.alert_id not in self._ids]
        self._ids.update(alert.alert_id for alert in fresh)
        return fresh


def _plain(error: Exception, words: str) -> TrucewatchError:
    """Return our own error that a worker raised, found in the engine's report of it, else one in the engine's words."""
    text = _BEAMS_NOTE.sub("", str(error))
    if isinstance(error, TrucewatchError):
        error.args = (text,)
        return error
    for name, message in _OWN_ERROR.findall(text):
        kind = getattr(failures, name, None)
        if isinstance(kind, type) and issubclass(kind, TrucewatchError) and kind is not TrucewatchError:
            with contextlib.suppress(TypeError):  # a few take more than the message
                own: TrucewatchError = kind(message.strip())
                return own
    log.debug("%s", text, exc_info=error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return EngineError(f"{words}: {(lines[-1] if lines else repr(error))[:300]}")
