"""Start the streaming graph on a Flink cluster; runs in Flink's own environment: `python -m benchmarks.flink.submit`.

Prints the job's id. `--graph feeds` is the stream as `trucewatch stream` builds it; `--graph items` feeds it invented
news instead of polls (`benchmarks.scale.items`), for the figures of docs/scale.md.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from datetime import datetime
from pathlib import Path

import apache_beam as beam
import pyflink
from pyflink.common import Configuration, Encoder, Types, WatermarkStrategy
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSink, OutputFileConfig, RollingPolicy
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import to_jarray

from benchmarks.flink.translate import translate, with_watermarks
from pipeline.config import Config, duration, load_config
from pipeline.stream import Schedule, build_stream, stream_from, ticks_of
from transforms.envelope import unpack
from transforms.model import Alert


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster", required=True, help="host:port of the JobManager's REST interface")
    parser.add_argument("--graph", choices=("feeds", "items"), default="feeds")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--start", type=datetime.fromisoformat, required=True)
    parser.add_argument("--until", type=datetime.fromisoformat)
    parser.add_argument("--every", default="1 h")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds of real time from tick to tick")
    parser.add_argument("--store", default="")
    parser.add_argument("--alerts", type=Path, help="folder for alerts, one JSON a line")
    parser.add_argument("--parallelism", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--savepoint", default="")
    arguments = parser.parse_args()
    environment = _environment(arguments)
    schedule = Schedule(
        start=arguments.start,
        every=duration(arguments.every, "--every"),
        until=arguments.until,
        replay=True,
    )
    config = _config(arguments.config)
    build = _feeds if arguments.graph == "feeds" else _items
    alerts = build(environment, config, schedule, arguments)
    if arguments.alerts:
        lines = alerts.map(_line, Types.STRING()).uid("AlertLines").name("AlertLines")
        sink = (
            FileSink.for_row_format(str(arguments.alerts), Encoder.simple_string_encoder("UTF-8"))
            .with_rolling_policy(RollingPolicy.on_checkpoint_rolling_policy())
            .with_output_file_config(OutputFileConfig.builder().with_part_suffix(".jsonl").build())
            .build()
        )
        lines.sink_to(sink).uid("AlertFiles").name("AlertFiles")
    job = environment.execute_async("trucewatch")
    print(job.get_job_id())
    sys.stdout.flush()


def _config(path: Path) -> Config:
    """Return the configuration at `path`: a trucewatch.toml, or one that a test has pickled."""
    if path.suffix == ".pickle":
        config: Config = pickle.loads(path.read_bytes())
        return config
    return load_config(path, environment={})


def _environment(arguments: argparse.Namespace) -> StreamExecutionEnvironment:
    host, _, port = arguments.cluster.partition(":")
    jvm = get_gateway().jvm
    # Checkpoints and restarts are settings of the job: as the cluster's configuration has them (FLINK_CONF_DIR).
    settings = Configuration(j_configuration=jvm.org.apache.flink.configuration.GlobalConfiguration.loadConfiguration())
    settings.set_string("python.executable", sys.executable)
    settings.set_string("python.client.executable", sys.executable)
    settings.set_string("python.metric.enabled", "false")  # PyFlink takes Beam's counters for its own, and fails
    settings.set_string("python.fn-execution.bundle.time", "100")
    settings.set_string("pipeline.auto-watermark-interval", "50ms")
    if arguments.graph == "feeds":
        settings.set_string("python.fn-execution.bundle.size", "1")  # a waiting tick must not hold others back
    if arguments.savepoint:
        settings.set_string("execution.state-recovery.path", arguments.savepoint)
    # PyFlink's own maker of environments knows local ones only, outside Flink's command line.
    java = jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment.createRemoteEnvironment(
        host, int(port), settings._j_configuration, to_jarray(jvm.String, [])
    )
    environment = StreamExecutionEnvironment(java)
    environment.set_parallelism(arguments.parallelism)
    jar = next((Path(pyflink.__file__).parent / "opt").glob("flink-python-*.jar"))
    environment.add_jars(jar.as_uri())
    return environment


def _feeds(
    environment: StreamExecutionEnvironment, config: Config, schedule: Schedule, arguments: argparse.Namespace
) -> DataStream:
    pipeline = beam.Pipeline()
    told = build_stream(ticks_of(pipeline, schedule), config, schedule, arguments.store)
    return translate(pipeline, environment, arguments.pace)[told["alerts"]]


def _items(
    environment: StreamExecutionEnvironment, config: Config, schedule: Schedule, arguments: argparse.Namespace
) -> DataStream:
    from benchmarks.scale.items import PackedItem

    pipeline = beam.Pipeline()
    articles, polls = (pipeline | name >> beam.Create([]) for name in ("Articles", "Polls"))
    told = stream_from({"articles": articles, "polls": polls}, None, config, schedule, "")
    numbers = environment.from_source(
        NumberSequenceSource(0, arguments.count - 1), WatermarkStrategy.no_watermarks(), "numbers", Types.LONG()
    )
    made = numbers.map(PackedItem(arguments.seed, arguments.count, arguments.parallelism)).uid("Items").name("Items")
    return translate(pipeline, environment, sources={articles: with_watermarks(made)})[told["alerts"]]


def _line(element: tuple[int, bytes]) -> str:
    import msgspec

    return msgspec.json.encode(unpack(element[1], Alert)).decode()


if __name__ == "__main__":
    main()
