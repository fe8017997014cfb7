import sys
from typing import NoReturn

from django.core.management.base import BaseCommand

from luthien_site import testing


class Command(BaseCommand):
    help = "Runs the tests; every argument is passed on to pytest."
    requires_system_checks = []

    def run_from_argv(self, argv: list[str]) -> NoReturn:
        # Its arguments are pytest's, of which Django's parser knows nothing.
        sys.exit(testing.run(argv[2:]))
