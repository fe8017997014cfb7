"""Processes that start in a moment: forked from one that has imported what reads neither settings nor environment.

A server or a command of `manage.py` spends seconds on imports, and the tests start hundreds. `python -m
tests.plugins.nursery FD` is the process, FD its end of a socket: a packet is an order, which brings the open files
of the process to be, and its answer is the new process's id. What runs from there is what a user's shell would start.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from types import ModuleType

from tests.plugins.servers import die_with_parent

MAX_ORDER = 1 << 18
IMPORTED = (
    *("django.contrib.admin.apps", "django.contrib.auth.hashers", "django.contrib.messages.middleware"),
    *("django.contrib.sessions.backends.base", "django.contrib.staticfiles.storage", "django.core.handlers.asgi"),
    *(
        "django.core.management.commands.migrate",
        "django.db.backends.postgresql.base",
        "django.db.backends.sqlite3.base",
    ),
    *("django.middleware.common", "django.middleware.csrf", "django.shortcuts", "django.template.defaulttags"),
    *("django.template.loader_tags", "django.test", "django.views.debug", "whitenoise.middleware", "psycopg_pool"),
    *("celery.fixups.django", "celery.loaders.app", "luthien_site.broker", "kombu.transport.redis"),
    *("channels.generic.websocket", "channels.security.websocket", "channels.sessions", "channels_redis.pubsub"),
    *(
        "uvicorn.lifespan.on",
        "uvicorn.main",
        "uvicorn.protocols.http.httptools_impl",
        "uvloop",
        "websockets.legacy.server",
    ),
    *("aiohttp.web", "asgiref.typing", "jsonschema", "markdown_it", "pydantic.dataclasses", "pydantic.networks"),
    *(
        "cryptography.fernet",
        "cryptography.hazmat.primitives.asymmetric.ed25519",
        "redis.asyncio",
        "xlsxwriter",
        "yaml",
    ),
    *("gateway.executor", "gateway.prices", "gateway.translation", "gateway.upstreams.litellm.upstream"),
    *("luthien_site.environment", "luthien_site.log_format", "observability.schedule"),
)


@dataclass(frozen=True)
class Order:
    """A process to be: `command` is what follows the interpreter on a command line."""

    command: Sequence[str]
    folder: str
    environment: Mapping[str, str]

    def packed(self) -> bytes:
        return json.dumps(asdict(self)).encode()


def serve(orders: socket.socket) -> Order | None:
    """Forks a process for every order until the socket is closed; in such a process, returns what it is to become."""
    watched = selectors.DefaultSelector()
    ended, wakes = socket.socketpair()
    for end in (ended, wakes):
        end.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the test run, and for its servers
    watched.register(orders, selectors.EVENT_READ)
    watched.register(ended, selectors.EVENT_READ)
    children: dict[int, int] = {}
    while True:
        for key, _ in watched.select():
            if key.fileobj is ended:
                ended.recv(4096)
                reap(children)
                continue
            packet, files, *_ = socket.recv_fds(orders, MAX_ORDER, 4)
            if not packet:
                return None
            if (child := os.fork()) == 0:
                for end in (orders, ended, wakes):
                    end.close()
                watched.close()
                settle(files, list(children.values()))
                return Order(**json.loads(packet))
            *given, children[child] = files
            for file in given:
                os.close(file)
            orders.send(str(child).encode())


def reap(children: dict[int, int]) -> None:
    """Tells the exit codes of processes that have ended, each on its own pipe."""
    while children:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        pipe = children.pop(child)
        os.write(pipe, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(pipe)


def settle(files: Sequence[int], pipes_of_others: Sequence[int]) -> None:
    """Makes a fork of the nursery look like a process that was just started with `files` as its standard ones."""
    die_with_parent()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    for file in (*files, *pipes_of_others):
        os.close(file)


def become(order: Order) -> None:
    """Runs the command as the interpreter would."""
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environment)
    sys.path[1:1] = [path for path in order.environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    kind, *rest = order.command
    if kind == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), main.__dict__)
    else:
        sys.argv = [*order.command]
        runpy.run_path(kind, run_name="__main__")


def prepare() -> None:
    """Imports what all need. Raises RuntimeError if something of it reads Django's settings."""
    from django.conf import settings

    import policies.library

    library = pkgutil.iter_modules(policies.library.__path__, "policies.library.")
    with warnings.catch_warnings(action="ignore"):
        for name in (*IMPORTED, *(module.name for module in library)):
            import_module(name)
    if settings.configured:
        raise RuntimeError("The settings were read before the environment of a test's server was there.")
    gc.collect()
    gc.freeze()  # or the first collection of each fork would copy all of it


def main() -> None:
    prepare()
    order = serve(socket.socket(fileno=int(sys.argv[1])))
    if order is not None:
        become(order)


if __name__ == "__main__":
    main()
