#!/usr/bin/env python3
"""Luthien's commands. The first one that runs on a machine installs what all of them need."""

import os
import sys


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 (whoever starts this may have any Python)
        sys.exit(f"Luthien needs Python 3.11 or newer; this is {sys.version_info[0]}.{sys.version_info[1]}.")
    from luthien_site import bootstrap, environment

    bootstrap.ensure(sys.argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luthien_site.settings")
    from django.core.management import execute_from_command_line

    arguments = list(sys.argv)
    if arguments[1:2] in (["claude"], ["codex"]):
        arguments.insert(2, "--")  # or Django would take a client's options, such as --settings, for its own
    try:
        execute_from_command_line(arguments)
    except environment.BadSetting as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
