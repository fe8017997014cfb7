"""The response around the items: as it begins, and as it stands when it is over."""

from __future__ import annotations

import time

from gateway.dialects.wire_json import Json
from policies.events import End, Start

from .usage import read_reason, write_reason, write_usage


class Envelope:
    def __init__(self, start: Start | None = None) -> None:
        start = Start() if start is None else start
        self.id = start.id
        self.model = start.model
        self._own: Json = start.source if isinstance(start.source, dict) else {}
        self._known: Json = self._own.get("response", self._own if self._own.get("object") == "response" else {})

    def begun(self) -> list[Json]:
        """The wire events of the start."""
        names = {"id": self.id, "model": self.model}
        if "response" in self._own:
            return [{**self._own, "response": {**self._known, **names}}]
        begun = {**_skeleton(), **self._known, **names, "status": "in_progress", "output": [], "usage": None}
        return [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}]

    def ended(self, end: End, output: list[Json]) -> Json:
        """The wire event of the end; its response is a minimal edit of the provider's, if that sent one."""
        own = end_event(end)
        known: Json = own.get("response", own)
        reason = write_reason(end.stop_reason)
        if known and read_reason(known, False) == read_reason(reason, False):
            reason = {}
        response = {**(known or {**_skeleton(), **self._known, "id": self.id, "model": self.model}), **reason}
        response["output"] = output
        response["usage"] = known.get("usage") or write_usage(end.usage)
        if "output_text" in response:
            response["output_text"] = output_text(output)
        type_name = f"response.{'incomplete' if response.get('status') == 'incomplete' else 'completed'}"
        return {**(own if "response" in own else {}), "type": type_name, "response": response}


def end_event(end: End) -> Json:
    """What the provider ended with: a wire event, or a whole response; empty if the end is not of this dialect."""
    source = end.source
    event: Json = source["event"] if isinstance(source, dict) and "event" in source else {}
    return event


def output_text(output: list[Json]) -> str:
    """All that a response says, as some servers repeat it beside the items."""
    parts = [part for item in output if item["type"] == "message" for part in item["content"]]
    return "".join(part["text"] for part in parts if part["type"] == "output_text")


def _skeleton() -> Json:
    return {
        "id": "",
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": "",
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": None,
    }
