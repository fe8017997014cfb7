"""SQL that destroys, or reads what it should not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from policies.base import Call, Policy
from policies.content import Text, ToolCall
from policies.examples import Example
from policies.shell import SHELL_ARGUMENTS, SHELL_TOOLS, apart, read, scripts
from policies.verdicts import Verdict, allow, block

from .rules import Kind, Rules
from .sources import Sql, in_arguments, in_code_blocks, in_shell

Dialect = Literal[
    "postgres",
    "mysql",
    "sqlite",
    "tsql",
    "oracle",
    "bigquery",
    "snowflake",
    "redshift",
    "duckdb",
    "clickhouse",
    "databricks",
    "trino",
]
LONG = 2_000
"""Characters of SQL from which on it is parsed in a thread, so that other calls go on."""


class SqlProtection(Policy):
    """Stops SQL in tool calls that may do harm: kinds of statements, tables and functions that are not wanted, updates
    and deletes of whole tables, several statements at once.

    SQL is parsed in the dialect of its database, in arguments of database tools, in commands such as psql -c and its
    here-documents, and if you wish in code blocks of answers. What cannot be parsed is stopped as well. It is no
    substitute for a database role that may do little.
    """

    category = "tools"
    examples = (
        Example("A query", ToolCall("call_1", "run_sql", '{"sql": "SELECT * FROM orders"}'), "allow"),
        Example("A delete of all rows", ToolCall("call_1", "run_sql", '{"sql": "DELETE FROM orders"}'), "block"),
        Example("In a shell", ToolCall("call_1", "bash", '{"command": "psql -c \\"DROP TABLE orders\\""}'), "block"),
    )

    class Config(Policy.Config):
        dialect: Dialect = Field("postgres", description="The dialect of the databases that the tools reach.")
        statements: tuple[Kind, ...] = Field(
            ("select", "insert", "update", "delete", "merge", "describe", "transaction"),
            description="The kinds of statements that are allowed, also within others.",
        )
        denied_tables: tuple[str, ...] = Field(
            (),
            description="Patterns of tables that may not be touched, one a line, such as users or secret.*; capitals "
            "and quotes do not matter.",
        )
        denied_functions: tuple[str, ...] = Field(
            (
                *("pg_read*", "pg_ls*", "pg_stat_file", "pg_sleep*", "pg_terminate*", "pg_cancel*", "pg_reload_conf"),
                *(
                    "lo_*",
                    "dblink*",
                    "query_to_xml*",
                    "table_to_xml*",
                    "cursor_to_xml*",
                    "set_config",
                    "pg_logical_emit*",
                ),
                *("load_file", "sleep", "benchmark", "sys_exec", "sys_eval", "load_extension", "writefile", "readfile"),
                *("edit", "xp_*", "sp_oa*", "sp_executesql", "openrowset", "opendatasource", "openquery", "utl_*"),
                *("dbms_*", "read_csv*", "read_text", "read_blob", "read_parquet*", "file", "url", "executable"),
            ),
            description="Patterns of functions that may not be called: for files, programs, waiting, SQL in texts.",
        )
        missing_where: bool = Field(True, description="Stop UPDATE and DELETE whose condition leaves no row out.")
        max_statements: int = Field(
            1, ge=1, le=1000, description="Statements that may stand in one text; BEGIN, COMMIT and such do not count."
        )
        unparsable: bool = Field(True, description="Stop what cannot be parsed as SQL of the dialect.")
        tools: tuple[str, ...] = Field(
            (
                *("*sql*", "*postgres*", "*database*", "*bigquery*", "*snowflake*", "*redshift*", "*duckdb*"),
                *("*clickhouse*", "*databricks*", "execute_query", "run_query", "db_query"),
            ),
            description="Patterns of the names of tools that run SQL, one a line; capitals do not matter.",
        )
        arguments: tuple[str, ...] = Field(
            ("sql", "query", "queries", "statement", "statements", "sql_query", "sql_text"),
            description="Names of the arguments that carry it. Where a call has none of them, its texts that begin "
            "as SQL does are judged.",
        )
        shell: bool = Field(True, description="Also SQL that shell commands hand to psql, mysql, sqlite3 and such.")
        shell_tools: tuple[str, ...] = Field(
            SHELL_TOOLS, description="Patterns of the names of tools that run shell commands, one a line."
        )
        code_blocks: bool = Field(False, description="Also blocks of SQL code in answers, which are then held.")

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        config = self.config
        self._tools = tuple(pattern.lower() for pattern in config.tools)
        self._shells = tuple(pattern.lower() for pattern in config.shell_tools) if config.shell else ()
        self._arguments = frozenset(key.lower() for key in config.arguments)
        self._rules = Rules(
            frozenset(config.statements),
            config.denied_tables,
            config.denied_functions,
            config.missing_where,
            config.max_statements,
            config.unparsable,
        )
        # The parser takes half a second to import: who configures no such policy does without.
        from . import parsing, statements

        parsing.warm(config.dialect)
        self._objection = statements.objection

    def overrides(self, hook: str) -> bool:
        return super().overrides(hook) and (hook != "on_text" or self.config.code_blocks)

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        name, found = tool_call.name.lower(), list[Sql]()
        if _any(self._shells, name):
            for script in scripts(tool_call.arguments, frozenset(SHELL_ARGUMENTS)):
                found += in_shell(await apart(read, len(script), script), script)
        if _any(self._tools, name):
            found += in_arguments(tool_call.arguments, self._arguments)
        return await self._judged(found)

    async def on_text(self, text: Text, call: Call) -> Verdict:
        return await self._judged(in_code_blocks(text.text))

    async def _judged(self, found: Iterable[Sql]) -> Verdict:
        for sql in found:
            if objection := await self._objection_to(sql):
                return block(objection)
        return allow()

    async def _objection_to(self, sql: Sql) -> str:
        if not sql.is_whole:
            return "SQL that is not known before it runs" if self.config.unparsable else ""
        dialect = sql.dialect or self.config.dialect
        if len(sql.text) <= LONG:
            return self._objection(sql.text, dialect, self._rules)
        return await asyncio.to_thread(self._objection, sql.text, dialect, self._rules)


def _any(patterns: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
