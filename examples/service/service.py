"""A web service: an image is uploaded, a WebP comes back.

    python examples/service/service.py --port 8000
    curl --data-binary @photo.jpg 'http://127.0.0.1:8000/compress?width=800' -o photo.webp

The pool takes its options from the environment: PIXPRESS_MAX_WORKERS, PIXPRESS_MAX_QUEUE and so on.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import pixpress
from pixpress.prometheus import PoolCollector

MAX_UPLOAD_BYTES = int(os.environ.get("SERVICE_MAX_UPLOAD_BYTES", 32 << 20))
# What strangers may ask a decoder for is less than what owners of files may.
LIMITS = pixpress.Limits(
    max_pixels=50_000_000, max_total_pixels=100_000_000, max_frames=500, max_scans=50
)
NUMBERS = ("width", "height", "quality", "effort")
RETRY_AFTER_S = "1"
# By class, the first that fits: what the client should hear.
STATUS: tuple[tuple[type[pixpress.PixpressError], int], ...] = (
    (pixpress.OptionError, 400),
    (pixpress.LimitExceededError, 413),
    (pixpress.MemoryLimitError, 413),
    (pixpress.UnidentifiedImageError, 415),
    (pixpress.UnsupportedFormatError, 415),
    (pixpress.CorruptImageError, 422),
    (pixpress.QueueFullError, 429),
    (pixpress.TaskTimeoutError, 503),
    (pixpress.QueueTimeoutError, 503),
    (pixpress.PoolClosedError, 503),
)


class TooLargeError(Exception):
    """The upload has more bytes than the service takes."""


def status_of(error: pixpress.PixpressError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def refusal(status: int, code: str, message: str) -> JSONResponse:
    """An answer that says what was wrong, and when to come again if that may help."""
    headers = {"Retry-After": RETRY_AFTER_S} if status in (429, 503) else None
    return JSONResponse({"error": code, "message": message}, status, headers)


async def upload(request: Request) -> bytes:
    """The body, read no further than it may be long."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_UPLOAD_BYTES:
        raise TooLargeError
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > MAX_UPLOAD_BYTES:
            raise TooLargeError
    return bytes(parts)


def settings_of(request: Request) -> dict[str, int]:
    """What the query asks for; `pixpress` checks the values."""
    for name in request.query_params:
        if name not in NUMBERS:
            raise pixpress.OptionError(f"Expected one of {', '.join(NUMBERS)}, got {name!r}")
    try:
        return {name: int(value) for name, value in request.query_params.items()}
    except ValueError as error:
        raise pixpress.OptionError(f"Expected whole numbers: {error}") from None


async def gone(request: Request) -> None:
    """Return when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        continue


async def outcome(request: Request, future: pixpress.JobFuture) -> pixpress.Result | None:
    """Wait for the job; None if the client has gone, and then the job is stopped."""
    job = asyncio.wrap_future(future)
    watch = asyncio.create_task(gone(request))
    try:
        await asyncio.wait((job, watch), return_when=asyncio.FIRST_COMPLETED)
        return job.result() if job.done() else None
    finally:
        watch.cancel()
        job.cancel()  # Also stops the codec, if it is still at work.


async def compress(request: Request) -> Response:
    """POST an image, get a WebP."""
    pool: pixpress.Pool = request.app.state.pool
    try:
        data = await upload(request)
        future = pool.submit(
            data, format="webp", limits=LIMITS, block=False, **settings_of(request)
        )
        result = await outcome(request, future)
    except ClientDisconnect:
        return Response(status_code=499)
    except TooLargeError:
        return refusal(413, "UPLOAD_TOO_LARGE", f"At most {MAX_UPLOAD_BYTES} bytes are taken")
    except pixpress.PixpressError as error:
        return refusal(status_of(error), error.code, str(error))
    if result is None:
        return Response(status_code=499)
    headers = {
        "X-Original-Bytes": str(result.original_size),
        "X-Image-Size": f"{result.width}x{result.height}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(result.data, media_type="image/webp", headers=headers)


async def health(request: Request) -> Response:
    """GET how the pool is: 200, or 503 with what is wrong."""
    report = request.app.state.pool.health()
    return JSONResponse(report.to_dict(), 200 if report.status == "ok" else 503)


async def metrics(request: Request) -> Response:
    """GET the pool's numbers for Prometheus."""
    text = generate_latest(request.app.state.registry)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """One pool for the life of the service; at its end all accepted jobs are finished."""
    app.state.pool = pixpress.Pool()
    app.state.registry = CollectorRegistry()
    app.state.registry.register(PoolCollector(app.state.pool, "service"))
    yield
    await asyncio.to_thread(app.state.pool.shutdown)


app = Starlette(
    routes=[
        Route("/compress", compress, methods=["POST"]),
        Route("/health", health),
        Route("/metrics", metrics),
    ],
    lifespan=lifespan,
)


def main() -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are answered first."""
    parser = argparse.ArgumentParser(description="Compress uploaded images to WebP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    uvicorn.run(app, host=arguments.host, port=arguments.port, timeout_graceful_shutdown=30)


if __name__ == "__main__":
    main()
