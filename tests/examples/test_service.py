"""The example service over real HTTP on the loopback interface."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from busy_pools import noise
from PIL import Image

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
SERVICE = Path(__file__).parents[2] / "examples" / "service" / "service.py"
PATIENCE_S = 120


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        return json.loads(self.body)  # type: ignore[no-any-return]


@dataclass
class Service:
    """A service in a process of its own."""

    process: subprocess.Popen[str]
    port: int

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)  # type: ignore[arg-type]
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def health(self, name: str) -> object:
        return self.ask("GET", "/health").json()[name]


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., Service]]:
    processes = []

    def start(**environment: str) -> Service:
        process = subprocess.Popen(
            [sys.executable, str(SERVICE), "--port", "0"],
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
                break
        assert found is not None
        threading.Thread(target=process.stderr.read, daemon=True).start()  # Else the pipe fills.
        return Service(process, int(found[1]))

    yield start
    for process in processes:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


@pytest.fixture(scope="module")
def service(serve: Callable[..., Service]) -> Service:
    return serve(SERVICE_MAX_UPLOAD_BYTES=str(1 << 20))


@pytest.fixture(scope="module")
def photo_jpeg() -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((320, 240)).save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.fixture(scope="module")
def slow_image() -> bytes:
    """A JPEG whose WebP of effort 10 takes many seconds."""
    out = io.BytesIO()
    Image.fromarray(noise(4500, 3600)).save(out, "JPEG")
    return out.getvalue()


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)


def test_an_image_goes_in_and_a_webp_comes_out(service: Service, photo_jpeg: bytes) -> None:
    answer = service.ask("POST", "/compress?width=160&quality=70", photo_jpeg)
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["x-original-bytes"] == str(len(photo_jpeg))
    with Image.open(io.BytesIO(answer.body)) as image:
        image.load()
        assert (image.format, image.size) == ("WEBP", (160, 120))


@pytest.mark.parametrize(
    ("query", "body", "status", "code"),
    [
        ("?quality=101", b"", 400, "OPTION"),
        ("?quality=best", b"", 400, "OPTION"),
        ("?metadata=all", b"", 400, "OPTION"),
        ("", b"no image at all", 415, "UNIDENTIFIED_IMAGE"),
        ("", b"\xff\xd8\xff\xe0 cut off", 422, "CORRUPT_IMAGE"),
        ("", bytes((1 << 20) + 1), 413, "UPLOAD_TOO_LARGE"),
    ],
)
def test_what_is_wrong_with_a_request_is_its_status(
    service: Service, query: str, body: bytes, status: int, code: str
) -> None:
    answer = service.ask("POST", f"/compress{query}", body)
    assert answer.status == status
    assert answer.json()["error"] == code


def test_an_upload_of_unknown_length_is_cut_off_at_the_limit(service: Service) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield bytes(1 << 16)

    answer = service.ask("POST", "/compress", chunks())
    assert answer.status == 413


def test_an_image_of_too_many_pixels_is_refused(service: Service) -> None:
    out = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(out, "PNG")
    answer = service.ask("POST", "/compress", out.getvalue())
    assert answer.status == 413
    assert answer.json()["error"] == "LIMIT_EXCEEDED"


def test_metrics_are_those_of_the_pool(service: Service, photo_jpeg: bytes) -> None:
    def successes() -> float:
        answer = service.ask("GET", "/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        line = re.search(
            rb'^pixpress_tasks_total\{outcome="successful",pool="service"\} (.+)$',
            answer.body,
            re.MULTILINE,
        )
        assert line is not None
        return float(line[1])

    before = successes()
    assert service.ask("POST", "/compress", photo_jpeg).status == 200
    wait_until(lambda: successes() == before + 1)


def test_a_full_queue_is_429_and_a_client_that_leaves_stops_its_job(
    serve: Callable[..., Service], slow_image: bytes, photo_jpeg: bytes
) -> None:
    service = serve(PIXPRESS_MAX_WORKERS="1", PIXPRESS_MAX_QUEUE="1")
    running, waiting = service.connect(), service.connect()
    running.request("POST", "/compress?effort=10", slow_image)
    wait_until(lambda: service.health("busy_workers") == 1)
    waiting.request("POST", "/compress?effort=10", slow_image)
    wait_until(lambda: service.health("queue_depth") == 1)
    answer = service.ask("POST", "/compress", photo_jpeg)
    assert answer.status == 429
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["error"] == "QUEUE_FULL"
    running.close()
    waiting.close()
    wait_until(lambda: service.health("queue_depth") == service.health("busy_workers") == 0)
    metrics = service.ask("GET", "/metrics").body
    assert b'pixpress_tasks_total{outcome="cancelled",pool="service"} 2.0' in metrics
    assert service.ask("POST", "/compress", photo_jpeg).status == 200


def test_a_job_that_takes_too_long_is_503(serve: Callable[..., Service], slow_image: bytes) -> None:
    service = serve(PIXPRESS_TASK_TIMEOUT="0.05")
    answer = service.ask("POST", "/compress?effort=10", slow_image)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["error"] == "TASK_TIMEOUT"


def test_sigterm_answers_what_is_under_way_and_ends(
    serve: Callable[..., Service], slow_image: bytes
) -> None:
    service = serve(PIXPRESS_MAX_WORKERS="1")
    connection = service.connect()
    connection.request("POST", "/compress?effort=3", slow_image)
    wait_until(lambda: service.health("busy_workers") == 1)
    service.process.send_signal(signal.SIGTERM)
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.read()[8:12] == b"WEBP"
    connection.close()
    # uvicorn ends by the signal itself once all is closed.
    assert service.process.wait(PATIENCE_S) in (0, -signal.SIGTERM)
    with pytest.raises(ConnectionError):
        service.ask("GET", "/health")
