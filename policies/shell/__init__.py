"""Shell scripts as the shell reads them, without running them.

`read(script)` lists what a script may do: every program that it may run, with its words, and where it stands; every
redirection; every variable; code in other languages. It follows quoting, variables, substitutions, pipes, functions,
`eval`, `bash -c`, `sudo` and its like, and files and links that the script makes. Every branch counts as taken. What
only running the script would tell is UNKNOWN, and that a script cannot be read is an Oddity, never an exception.

Its modules are private to it, but for `code`, `grammar`, `options`, `places` and `programs`.
"""

from .effects import Assignment, Code, Effect, Oddity, Program, Redirect
from .places import START, Place
from .reading import apart, read
from .tool_arguments import SHELL_ARGUMENTS, SHELL_TOOLS, place_of, scripts
from .words import FETCHED, UNKNOWN, stripped

__all__ = [
    "FETCHED",
    "SHELL_ARGUMENTS",
    "SHELL_TOOLS",
    "START",
    "UNKNOWN",
    "Assignment",
    "Code",
    "Effect",
    "Oddity",
    "Place",
    "Program",
    "Redirect",
    "apart",
    "place_of",
    "read",
    "scripts",
    "stripped",
]
