"""What `manage.py up` is made of: the port, the address, the worker beside the server, the server."""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

import uvicorn
from django.conf import settings
from django.db import connections

from luthien_site.supervising import kept_running

DRAIN_SECONDS = 30
# Longer than clients keep idle connections, so that none sends a request into a closing one.
KEEP_ALIVE_SECONDS = 75
WORKER_STOP_SECONDS = 10
WORKER_PAUSE_SECONDS = 5


class CannotServe(Exception):
    """The server cannot start; the message is one sentence for the person at the terminal."""


def check_port(host: str, port: int) -> None:
    """Raises CannotServe unless a server could listen on `host` and `port` now."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise CannotServe(f"There is no address {host}; choose another with --host.") from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise CannotServe(_why_not(error, host, port)) from None


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken; choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} is for root alone; choose one above 1023 with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"This machine has no address {host}; choose another with --host."
    return f"Port {port} of {host} cannot be opened: {error.strerror}."


def console_url(host: str, port: int) -> str:
    """Where a browser on this machine finds a server that listens on `host` and `port`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 (a comparison; nothing is bound)
    return f"http://[{reachable}]:{port}" if ":" in reachable and "[" not in reachable else f"http://{reachable}:{port}"


def announce(url: str) -> str:
    """Makes `url` the public address in this process and its children, unless LUTHIEN_URL names one; returns it."""
    if os.environ.get("LUTHIEN_URL") or os.environ.get("LUTHIEN_URL_FILE"):
        return str(settings.LUTHIEN_URL)
    os.environ["LUTHIEN_URL"] = settings.LUTHIEN_URL = url
    host = urlsplit(url).hostname
    if host and host not in settings.ALLOWED_HOSTS:
        settings.ALLOWED_HOSTS.append(host)
    return url


def worker_beside() -> AbstractContextManager[None]:
    """Keeps the Celery worker and beat running as a child, out of reach of the terminal's Ctrl-C."""
    command = [sys.executable, "-m", "luthien_site.worker", str(os.getpid())]

    def begin() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, cwd=settings.BASE_DIR, start_new_session=True, stdin=subprocess.DEVNULL)

    return kept_running(begin, pause=WORKER_PAUSE_SECONDS, patience=WORKER_STOP_SECONDS)


def needs_worker() -> bool:
    """Without Redis nobody else can work on our jobs; with it, others are expected to."""
    return settings.LUTHIEN_EMBEDDED_WORKER or not settings.REDIS_URL


def share_metrics() -> None:
    """Lets the processes that serve add up their metrics, so that any of them answers for all."""
    folder = settings.LUTHIEN_DATA_DIR / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def serve(host: str, port: int, workers: int) -> None:
    """Serves until SIGINT or SIGTERM, and returns when the running streams have drained, at most 30 s later."""
    # uvicorn raises the signal again once it has stopped, which would end us before the worker is.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    connections.close_all()
    if workers > 1:
        share_metrics()
    uvicorn.run(
        "luthien_site.asgi:application",
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Compressing for each viewer would take the loop's time from calls.
        ws_per_message_deflate=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
