"""What schedulers and lean installations meet: a partial run as a success, and metrics without their libraries."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.observe.publish import Observer
from pipeline.observe.settings import MetricsSettings
from transforms.failures import ConfigError

RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Quiet Valley News</title>
<item><guid>q1</guid><title>Olive harvest begins in the valley</title><link>https://quiet.example/1</link></item>
</channel></rss>"""


class _Quiet(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/good" else 404)
        self.send_header("Content-Length", str(len(RSS)))
        self.end_headers()
        self.wfile.write(RSS)

    def log_message(self, *_: object) -> None:
        pass


def test_a_partial_run_may_be_a_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    feeds = "".join(
        f'[[feed]]\nname = "{name}"\nurl = "http://127.0.0.1:{server.server_port}/{name}"\noutlet = "{name}"\n'
        for name in ("good", "missing")
    )
    (tmp_path / "trucewatch.toml").write_text("[fetch]\nallow_private_networks = true\n" + feeds)
    try:
        assert CliRunner().invoke(app, ["run"]).exit_code == 3
        assert CliRunner().invoke(app, ["run", "--partial-ok"]).exit_code == 0
    finally:
        server.shutdown()
        server.server_close()
    (tmp_path / "trucewatch.toml").write_text("stoer = 1")
    assert CliRunner().invoke(app, ["run", "--partial-ok"]).exit_code == 2


@pytest.mark.parametrize(
    ("library", "module", "settings"),
    [
        ("prometheus_client", "prometheus", MetricsSettings(prometheus_file="t.prom")),
        ("opentelemetry.exporter.otlp.proto.http.metric_exporter", "otlp", MetricsSettings(otlp_endpoint="http://c")),
    ],
)
def test_without_its_libraries_metrics_say_what_to_install(
    library: str, module: str, settings: MetricsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, f"pipeline.observe.{module}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigError, match=r"install trucewatch\[metrics\]"):
        Observer(settings)
    Observer(MetricsSettings())  # nothing wanted, nothing needed
