"""The JSON schema of questions and answers, as it stands in docs/remote-policy.schema.json."""

from __future__ import annotations

import json

from pydantic.json_schema import models_json_schema

from policies.remote_service.answer import Answer
from policies.remote_service.question import Question

TITLE = "What Luthien's policy `remote` asks a decision service, and what that may answer"


def document() -> str:
    """The text of the file."""
    names, definitions = models_json_schema([(Question, "serialization"), (Answer, "validation")], title=TITLE)
    question, answer = names[(Question, "serialization")], names[(Answer, "validation")]
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": TITLE,
        "properties": {"question": question, "answer": answer},
        "$defs": definitions["$defs"],
    }
    return json.dumps(schema, indent=2) + "\n"
