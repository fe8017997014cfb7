from pathlib import Path
from textwrap import indent

import pytest

from gateway.console.connect import Guide, guides

CLIENTS = Path(__file__).resolve().parents[2] / "docs" / "clients.md"


@pytest.mark.parametrize("guide", guides("http://127.0.0.1:8000"), ids=lambda guide: guide.id)
def test_the_page_and_the_document_say_the_same(guide: Guide) -> None:
    text = CLIENTS.read_text()
    assert f"\n## {guide.title}\n" in text
    assert indent(guide.code, "    ") in text
