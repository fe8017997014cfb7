"""What the record tells of calls, for the proof `viewers`: `python -m luthien_site.proofs.told`.

Reads the ids of calls, a JSON list, from its standard input, and writes those of all their events as another; both of
the record that the settings in force name.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luthien_site.settings")
    import django

    django.setup()
    from observability.activity import history

    told = [event["id"] for event in history.events_of(json.load(sys.stdin))]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
