"""A Beam graph as a Flink job: each ParDo runs in a process function, by Beam's own `DoFnRunner`.

What trucewatch's stream is made of, and no more: Create, PeriodicImpulse, ParDo with tagged outputs, ParDo with bag and
single-value state and one event-time timer, Flatten, Reshuffle; one global window; no side inputs. Elements travel as
(timestamp in microseconds, element). A bundle is one element.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pipeline import AppliedPTransform
from apache_beam.runners.common import DoFnRunner, DoFnSignature, Receiver
from apache_beam.transforms.core import Windowing
from apache_beam.transforms.periodicsequence import PeriodicImpulse
from apache_beam.transforms.userstate import BagStateSpec, StateSpec, TimerSpec
from apache_beam.transforms.window import GlobalWindow, GlobalWindows
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP, Timestamp
from apache_beam.utils.windowed_value import PANE_INFO_UNKNOWN, WindowedValue
from pyflink.common import Duration, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import DataStream, KeyedProcessFunction, OutputTag, ProcessFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.functions import MapFunction, RuntimeContext
from pyflink.datastream.state import ListStateDescriptor, ValueStateDescriptor

_WINDOW = GlobalWindow()
_MAIN = None


def translate(
    pipeline: beam.Pipeline,
    environment: StreamExecutionEnvironment,
    pace: float | None = None,
    sources: Mapping[beam.PCollection, DataStream] | None = None,
) -> dict[beam.PCollection, DataStream | None]:
    """Add the steps of `pipeline` to `environment` and return the stream of each PCollection, None for an empty one.

    Args:
        pipeline: Made, not run.
        environment: Where the job is built.
        pace: Seconds of real time from tick to tick; None lets a tick wait for its own time, as Beam does.
        sources: Streams to take in the place of PCollections.
    """
    translator = _Translator(environment, pace)
    translator.streams.update(sources or {})
    for part in pipeline._root_transform().parts:
        translator.add(part)
    return translator.streams


class _Translator:
    def __init__(self, environment: StreamExecutionEnvironment, pace: float | None) -> None:
        self.streams: dict[beam.PCollection, DataStream | None] = {}
        self._environment = environment
        self._pace = pace

    def add(self, node: AppliedPTransform) -> None:
        transform = node.transform
        label = node.full_label
        if node.outputs and all(output in self.streams for output in node.outputs.values()):
            return
        if isinstance(transform, PeriodicImpulse):
            (output,) = node.outputs.values()
            self.streams[output] = self._ticks(transform, label)
        elif isinstance(transform, beam.Create):
            (output,) = node.outputs.values()
            self.streams[output] = self._created(list(transform.values), label)
        elif isinstance(transform, beam.Reshuffle):
            (output,) = node.outputs.values()
            stream = self.streams[node.inputs[0]]
            self.streams[output] = stream.rebalance() if stream else None
        elif isinstance(transform, beam.Flatten):
            (output,) = node.outputs.values()
            parts = [stream for one in node.inputs if (stream := self.streams[one]) is not None]
            self.streams[output] = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0] if parts else None
        elif isinstance(transform, beam.ParDo):
            self._par_do(node, transform, label)
        elif node.parts:
            for part in node.parts:
                self.add(part)
        else:
            raise NotImplementedError(f"{label}: {type(transform).__name__} has no translation")

    def _ticks(self, impulse: PeriodicImpulse, label: str) -> DataStream:
        start, stop = Timestamp.of(impulse.start_ts).micros, Timestamp.of(impulse.stop_ts).micros
        step = int(impulse.interval * 1_000_000)
        last = (stop - start - 1) // step if stop < MAX_TIMESTAMP.micros else 2**40
        numbers = self._environment.from_source(
            NumberSequenceSource(0, last), WatermarkStrategy.no_watermarks(), f"{label}/numbers", Types.LONG()
        ).set_parallelism(1)
        ticks = numbers.map(_Tick(start, step, self._pace)).set_parallelism(1).uid(label).name(label)
        return with_watermarks(ticks).set_parallelism(1)

    def _created(self, values: list[Any], label: str) -> DataStream | None:
        if not values:
            return None
        made = [(MIN_TIMESTAMP.micros, value) for value in values]
        return self._environment.from_collection(made).uid(label).name(label)

    def _par_do(self, node: AppliedPTransform, transform: beam.ParDo, label: str) -> None:
        if transform.side_inputs:
            raise NotImplementedError(f"{label}: side inputs have no translation")
        tags = {tag: f"{label}/{tag}" for tag in node.outputs if tag not in (None, "None")}
        step = _Step(transform.fn, transform.args, transform.kwargs, tags, label)
        stream = self.streams[node.inputs[0]]
        if stream is None:
            self.streams.update(dict.fromkeys(node.outputs.values()))
            return
        if DoFnSignature(transform.fn).is_stateful_dofn():
            done = stream.key_by(_key_of, Types.STRING()).process(_Stateful(step))
        else:
            done = stream.process(_Stateless(step))
        done = done.uid(label).name(label)
        for tag, output in node.outputs.items():
            self.streams[output] = done.get_side_output(OutputTag(tags[tag])) if tag in tags else done


def with_watermarks(stream: DataStream) -> DataStream:
    """Return `stream` of (micros, element), in rising order, with Flink's own timestamps and watermarks."""
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(0))
    return stream.assign_timestamps_and_watermarks(strategy.with_timestamp_assigner(_Carried()))


class _Carried(TimestampAssigner):
    def extract_timestamp(self, value: tuple[int, Any], record_timestamp: int) -> int:
        return value[0] // 1000


class _Tick(MapFunction):
    """The nth tick, at its time."""

    def __init__(self, start: int, step: int, pace: float | None) -> None:
        self._start, self._step, self._pace = start, step, pace

    def map(self, number: int) -> tuple[int, Any]:
        micros = self._start + number * self._step
        wait = micros / 1e6 - time.time() if self._pace is None else self._pace
        if wait > 0:
            time.sleep(wait)
        return micros, Timestamp(micros=micros)


def _key_of(element: tuple[int, tuple[str, Any]]) -> str:
    return element[1][0]


class _Step:
    """A DoFn with its arguments, and the runner made of it in the worker."""

    def __init__(
        self, fn: beam.DoFn, args: Sequence[Any], kwargs: Mapping[str, Any], tags: dict[str, str], label: str
    ) -> None:
        self.fn, self._args, self._kwargs, self._tags, self._label = fn, list(args), dict(kwargs), tags, label
        self._out: list[Any] = []

    def open(self, user_state: Any = None) -> DoFnRunner:
        receivers: dict[str | None, Receiver] = {_MAIN: _Receiver(self._out, None)}
        receivers |= {tag: _Receiver(self._out, OutputTag(name)) for tag, name in self._tags.items()}
        self.runner = DoFnRunner(
            self.fn,
            self._args,
            self._kwargs,
            [],
            Windowing(GlobalWindows()),
            receivers,
            step_name=self._label,
            user_state_context=user_state,
        )
        self.runner.setup()
        return self.runner

    def run(self, value: tuple[int, Any]) -> Iterator[Any]:
        micros, element = value
        self.runner.start()
        self.runner.process(WindowedValue(element, Timestamp(micros=micros), (_WINDOW,)))
        self.runner.finish()
        yield from self.taken()

    def taken(self) -> list[Any]:
        made = list(self._out)
        self._out.clear()
        return made


class _Receiver(Receiver):
    def __init__(self, out: list[Any], tag: OutputTag | None) -> None:
        self._out, self._tag = out, tag

    def receive(self, windowed_value: WindowedValue) -> None:
        element = (windowed_value.timestamp.micros, windowed_value.value)
        self._out.append(element if self._tag is None else (self._tag, element))


class _Stateless(ProcessFunction):
    def __init__(self, step: _Step) -> None:
        self._step = step

    def open(self, runtime_context: RuntimeContext) -> None:
        self._step.open()

    def close(self) -> None:
        self._step.runner.teardown()

    def process_element(self, value: tuple[int, Any], ctx: ProcessFunction.Context) -> Iterator[Any]:
        return self._step.run(value)


class _Stateful(KeyedProcessFunction):
    def __init__(self, step: _Step) -> None:
        self._step = step

    def open(self, runtime_context: RuntimeContext) -> None:
        timers = _timers_of(self._step.fn)
        self._timer = timers[0] if timers else None
        self._user = _UserState(runtime_context, _states_of(self._step.fn))
        self._step.open(self._user)

    def close(self) -> None:
        self._step.runner.teardown()

    def process_element(self, value: tuple[int, Any], ctx: KeyedProcessFunction.Context) -> Iterator[Any]:
        self._user.service = ctx.timer_service()
        yield from self._step.run(value)
        yield from self._ripe(ctx)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Any]:
        self._user.service = ctx.timer_service()
        if self._user.due.value() == timestamp:  # else it was set anew since
            yield from self._fire(timestamp, ctx)
            yield from self._ripe(ctx)

    def _ripe(self, ctx: KeyedProcessFunction.Context) -> Iterator[Any]:
        """Fire what has been set for a time that is past: PyFlink would let it wait for the next watermark."""
        while (due := self._user.due.value()) is not None and due <= ctx.timer_service().current_watermark():
            yield from self._fire(due, ctx)

    def _fire(self, millis: int, ctx: KeyedProcessFunction.Context) -> Iterator[Any]:
        self._user.due.clear()
        runner, moment = self._step.runner, Timestamp(micros=millis * 1000)
        runner.start()
        runner.process_user_timer(self._timer, ctx.get_current_key(), _WINDOW, moment, PANE_INFO_UNKNOWN, "")
        runner.finish()
        yield from self._step.taken()


def _states_of(fn: beam.DoFn) -> list[StateSpec]:
    return sorted(beam.transforms.userstate.get_dofn_specs(fn)[0], key=lambda spec: spec.name)


def _timers_of(fn: beam.DoFn) -> list[TimerSpec]:
    timers = sorted(beam.transforms.userstate.get_dofn_specs(fn)[1], key=lambda spec: spec.name)
    if len(timers) > 1:
        raise NotImplementedError("one timer at most has a translation")
    return timers


class _UserState:
    """Beam's user state on Flink's keyed state; the key is the one that Flink has set."""

    def __init__(self, context: RuntimeContext, specs: Sequence[StateSpec]) -> None:
        self.service: Any = None
        self.due = context.get_state(ValueStateDescriptor("timer", Types.LONG()))
        self._states: dict[str, Any] = {}
        for spec in specs:
            if isinstance(spec, BagStateSpec):
                held = context.get_list_state(ListStateDescriptor(spec.name, Types.PICKLED_BYTE_ARRAY()))
                self._states[spec.name] = _Bag(held)
            else:
                one = context.get_state(ValueStateDescriptor(spec.name, Types.PICKLED_BYTE_ARRAY()))
                self._states[spec.name] = _Single(one)

    def get_state(self, spec: StateSpec, key: str, window: Any) -> Any:
        return self._states[spec.name]

    def get_timer(self, spec: TimerSpec, key: str, window: Any, timestamp: Timestamp, pane: Any) -> Any:
        return self

    def set(self, timestamp: Any, **_: Any) -> None:
        """Set the timer; an earlier setting no longer counts."""
        millis = -(-Timestamp.of(timestamp).micros // 1000)
        self.due.update(millis)
        self.service.register_event_time_timer(millis)

    def clear(self, **_: Any) -> None:
        """Clear the timer."""
        self.due.clear()


class _Bag:
    def __init__(self, held: Any) -> None:
        self._held = held

    def add(self, value: Any) -> None:
        self._held.add(value)

    def read(self) -> list[Any]:
        return list(self._held.get() or ())

    def clear(self) -> None:
        self._held.clear()


class _Single:
    def __init__(self, held: Any) -> None:
        self._held = held

    def write(self, value: Any) -> None:
        self._held.update(value)

    def read(self) -> Any:
        return self._held.value()

    def clear(self) -> None:
        self._held.clear()
