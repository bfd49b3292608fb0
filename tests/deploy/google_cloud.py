"""What a machine at Google Cloud finds there, on loopback: buckets, tokens for a key, secrets."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """One bucket of the emulator of Cloud Storage, and the environment with which clients reach it."""

    name: str
    address: str
    environment: Mapping[str, str]

    def put(self, name: str, text: str) -> str:
        request = urllib.request.Request(
            f"{self.address}/upload/storage/v1/b/{self.name}/o?uploadType=media&name={name}", data=text.encode(),
            headers={"Content-Type": "text/plain"},
        )  # fmt: skip
        urllib.request.urlopen(request, timeout=10).close()
        return f"gs://{self.name}/{name}"

    def get(self, name: str) -> bytes:
        quoted = name.replace("/", "%2F")
        with urllib.request.urlopen(f"{self.address}/storage/v1/b/{self.name}/o/{quoted}?alt=media", timeout=10) as got:
            return bytes(got.read())

    def names(self) -> list[str]:
        with urllib.request.urlopen(f"{self.address}/storage/v1/b/{self.name}/o", timeout=10) as got:
            return [row["name"] for row in json.load(got).get("items", [])]


@contextmanager
def bucket(folder: Path) -> Iterator[Bucket]:
    """A bucket, and a key of a service account whose tokens come from this machine."""
    pytest.importorskip("gcp_storage_emulator", reason="no emulator of Cloud Storage")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "gcp_storage_emulator", "start", "--host=127.0.0.1", f"--port={port}", "--default-bucket=desk"]
    with tokens() as token_uri, subprocess.Popen([sys.executable, *words, "--in-memory", "--quiet"]) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            _until_it_answers(server, f"{address}/storage/v1/b/desk")
            key = folder / "key.json"
            key.write_text(service_account_key(token_uri))
            environment = {"STORAGE_EMULATOR_HOST": address, "GOOGLE_APPLICATION_CREDENTIALS": str(key)}
            yield Bucket(name="desk", address=address, environment=environment)
        finally:
            server.terminate()


def _until_it_answers(server: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert server.poll() is None, "the emulator of Cloud Storage ended"
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the emulator of Cloud Storage does not answer")


def service_account_key(token_uri: str) -> str:
    """A key as the console gives it, of an account that nobody has."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = "trucewatch@my-project.iam.gserviceaccount.com"
    row = {"type": "service_account", "project_id": "my-project", "private_key_id": "1", "private_key": pem.decode()}
    return json.dumps({**row, "client_email": account, "client_id": "1", "token_uri": token_uri})


@contextmanager
def tokens() -> Iterator[str]:
    """Give a token to everybody who asks."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/token"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def secrets(held: Mapping[str, str]) -> Iterator[object]:
    """A Secret Manager over gRPC that holds `held` by version name; gives a client of Google's library to it."""
    import grpc
    from google.cloud import secretmanager_v1 as sm
    from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
        SecretManagerServiceGrpcTransport,
    )

    def access(request: sm.AccessSecretVersionRequest, context: grpc.ServicerContext) -> sm.AccessSecretVersionResponse:
        if request.name not in held:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Secret Version [{request.name}] not found.")
        return sm.AccessSecretVersionResponse(
            name=request.name, payload=sm.SecretPayload(data=held[request.name].encode())
        )

    method = grpc.unary_unary_rpc_method_handler(
        access,
        request_deserializer=sm.AccessSecretVersionRequest.deserialize,
        response_serializer=sm.AccessSecretVersionResponse.serialize,
    )
    service = "google.cloud.secretmanager.v1.SecretManagerService"
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"AccessSecretVersion": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    try:
        yield sm.SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))
    finally:
        channel.close()
        server.stop(None)
