import io
import json
import logging
import logging.config
from collections.abc import Iterator

import pytest
import structlog

from luthien_site.log_format import logging_config


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged as JSON while the test runs."""
    config = logging_config("INFO", "json")
    stream = io.StringIO()
    config["handlers"]["stderr"]["stream"] = stream
    config["loggers"] = {}
    config["root"] = {"handlers": [], "level": "INFO"}
    config["loggers"]["tests.lines"] = {"handlers": ["stderr"], "level": "INFO", "propagate": False}
    logging.config.dictConfig(config)
    yield stream
    logging.getLogger("tests.lines").handlers.clear()


def test_our_events_and_the_librarys_lines_are_one_json_object_each(lines: io.StringIO) -> None:
    structlog.stdlib.get_logger("tests.lines").info("call_closed", call="c1")
    logging.getLogger("tests.lines").warning("plain %s", "text")
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (first["event"], first["call"], first["level"]) == ("call_closed", "c1", "info")
    assert (second["event"], second["level"]) == ("plain text", "warning")


def test_bound_context_is_on_every_line(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(call="c2"):
        logging.getLogger("tests.lines").info("from a library")
    assert json.loads(lines.getvalue())["call"] == "c2"
