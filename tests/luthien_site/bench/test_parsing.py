import pytest

from luthien_site.bench import parsing
from policies import shell
from policies.library.sql_protection.parsing import parse


@pytest.mark.parametrize("command", parsing.COMMANDS)
def test_a_command_of_the_bench_can_be_read(command: str) -> None:
    effects = shell.read(command)
    assert effects
    assert not any(isinstance(effect, shell.Oddity) for effect in effects)


@pytest.mark.parametrize("statement", parsing.STATEMENTS)
def test_a_statement_of_the_bench_can_be_parsed(statement: str) -> None:
    (parsed,) = parse(statement, parsing.DIALECT)
    assert parsed.key != "command"


async def test_both_are_measured() -> None:
    for figures in (await parsing.shell_parse(0.0), await parsing.sql_parse(0.0)):
        assert 0 < figures["us_p50"] <= figures["us_p99"]
