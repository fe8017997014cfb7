"""Statements by dialect, what stops them, and the places where they are found."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from policies.base import Call
from policies.content import ToolCall
from policies.library.sql_protection import LONG, SqlProtection
from policies.testing import judge, text, tool_call

SECRETS = {"denied_tables": ["secret.*", "tokens", "app.users"]}
ALLOWED = {
    "postgres": (
        "",
        "-- nothing",
        "SELECT 1;",
        "(SELECT a FROM t) UNION SELECT b FROM u",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "VALUES (1)",
        "INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1",
        "UPDATE t SET a = 1 WHERE id = 2",
        "DELETE FROM t WHERE id IN (SELECT id FROM u) AND true",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1",
        "EXPLAIN (ANALYZE, VERBOSE) DELETE FROM t WHERE id = 1",
        "BEGIN; UPDATE t SET a = 1 WHERE id = 2; COMMIT",
        "START TRANSACTION; SAVEPOINT a; SELECT 1; ROLLBACK TO a",
        "SHOW tables",
        "SELECT 'DROP TABLE t; --' AS text, $$ ; DROP $$",
        "SELECT * FROM t -- ; DROP TABLE t",
        "SELECT * FROM other.users, user_tokens",
    ),
    "mysql": ("DESCRIBE t", "SHOW TABLES", "EXPLAIN SELECT 1", "SELECT `a` FROM `b` # all", "SELECT 1 -- 1"),
    "tsql": ("SELECT TOP 5 * FROM [dbo].[users]",),
    "sqlite": ("EXPLAIN QUERY PLAN SELECT 1",),
}
STOPPED = {
    "postgres": {
        "DELETE FROM t": "delete without a condition",
        "DELETE FROM t WHERE 1 = 1": "delete without a condition",
        "UPDATE t SET a = 1 WHERE true OR id = 3": "update without a condition",
        "UPDATE t SET a = 1 WHERE (id = id)": "update without a condition",
        "UPDATE t SET a = 1 WHERE name LIKE '%'": "update without a condition",
        "UPDATE t SET a = 1 WHERE random() < 2 AND 'a' = 'a'": "update without a condition",
        "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d": "delete without a condition",
        "EXPLAIN ANALYZE DELETE FROM t": "delete without a condition",
        "explain (analyze) DROP TABLE t": "drop is not allowed",
        "SELECT 1; SELECT 2": "several statements",
        "SELECT 1; DROP TABLE t": "drop is not allowed",
        "SELECT 1 /* ; */ ; /* */ DROP TABLE t": "drop is not allowed",
        "DR/**/OP TABLE t": "SQL that cannot be parsed",
        "DROP/**/TABLE t": "drop is not allowed",
        "SELECT * INTO n FROM t": "create is not allowed",
        "CREATE TABLE n AS SELECT 1": "create is not allowed",
        "ALTER TABLE t ADD a int": "alter is not allowed",
        "TRUNCATE t": "truncate is not allowed",
        "GRANT ALL ON t TO u": "grant is not allowed",
        "COPY t TO PROGRAM 'sh'": "copy is not allowed",
        "CALL p()": "call is not allowed",
        "EXECUTE p": "call is not allowed",
        "PREPARE p AS DELETE FROM t": "other is not allowed",
        "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$": "other is not allowed",
        "VACUUM": "other is not allowed",
        "SET search_path = secret": "set is not allowed",
        "SELECT pg_read_file('/etc/passwd')": "a denied function",
        "SELECT pg_catalog.PG_Sleep(9)": "a denied function",
        "SELECT \"pg_read_file\"('a')": "a denied function",
        "SELECT * FROM pg_ls_dir('.')": "a denied function",
        "SELECT query_to_xml('DROP TABLE t', true, false, '')": "a denied function",
        "SELECT * FROM tokens": "a denied table",
        'SELECT * FROM "Secret"."Any"': "a denied table",
        "SELECT * FROM users": "a denied table",
        "INSERT INTO t SELECT * FROM db.app.users": "a denied table",
        "TABLE tokens": "a denied table",
        "SELECT 1 UNION SELECT a FROM (SELECT * FROM tokens) x": "a denied table",
        "hello world": "SQL that cannot be parsed",
        "\\! rm -rf /": "SQL that cannot be parsed",
        "SELECT 'a\u2019; DROP TABLE t": "SQL that cannot be parsed",
        "SELECT $a$ ' $a$; DELETE FROM t; --'": "SQL that cannot be parsed",
        'SELECT * FROM U&"\\0074okens"': "SQL that cannot be parsed",
        "SELECT 1 /*! + 1 */": "SQL that cannot be parsed",
        "SELECT /* /* */ 1 */": "SQL that cannot be parsed",
        "SELECT " + "(" * 400 + "1" + ")" * 400: "SQL that cannot be parsed",
        "SELECT * FROM a " + "JOIN b " * 40 + "ON x = y" * 40: "SQL that cannot be parsed",
        "SELECT '" + "a" * 70_000 + "'": "SQL that cannot be parsed",
        "EXPLAIN " * 5 + "SELECT 1": "SQL that cannot be parsed",
        "SELECT 1\x00": "SQL that cannot be parsed",
    },
    "mysql": {
        "/*!50000 DROP TABLE t */": "SQL that cannot be parsed",
        "SELECT * FROM t INTO OUTFILE '/tmp/x'": "SQL that cannot be parsed",
        "DELETE FROM t WHERE a = 1--1 OR 1 = 1": "SQL that cannot be parsed",
        "LOAD DATA INFILE 'x' INTO TABLE t": "SQL that cannot be parsed",
        "REPLACE INTO t VALUES (1)": "other is not allowed",
        "SELECT sleep(9)": "a denied function",
        "DELETE FROM t LIMIT 1": "delete without a condition",
        "EXPLAIN ANALYZE DELETE FROM t": "delete without a condition",
        "PREPARE s FROM 'DROP TABLE t'": "other is not allowed",
        "USE other": "set is not allowed",
        "SELECT 'x' INTO @a": "create is not allowed",
    },
    "tsql": {
        "EXEC xp_cmdshell 'dir'": "call is not allowed",
        "EXEC('DROP TABLE t')": "call is not allowed",
        "SELECT * FROM OPENROWSET('a', 'b', 'c')": "a denied function",
        "SELECT * FROM [App].[Users]": "a denied table",
    },
    "sqlite": {
        "ATTACH DATABASE 'x' AS y": "other is not allowed",
        "PRAGMA writable_schema = 1": "other is not allowed",
        "SELECT load_extension('x')": "a denied function",
    },
    "oracle": {"EXECUTE IMMEDIATE 'DROP TABLE t'": "call is not allowed"},
    "bigquery": {"SELECT * FROM `x.app.users`": "a denied table"},
}


def policy(**settings: Any) -> SqlProtection:
    return SqlProtection(SqlProtection.Config(**settings))


async def reason(sql: str, **settings: Any) -> str:
    """Why it is blocked; empty if it is not."""
    verdict = await judge(policy(**settings), tool_call("mcp__postgres__query", sql=sql))
    return verdict.reason if verdict.action == "block" else ""


@pytest.mark.parametrize(("dialect", "sql"), [(dialect, sql) for dialect in ALLOWED for sql in ALLOWED[dialect]])
async def test_honest_statements_pass(dialect: str, sql: str) -> None:
    several = sql.startswith(("BEGIN", "START"))
    assert await reason(sql, dialect=dialect, **SECRETS, max_statements=3 if several else 1) == ""


@pytest.mark.parametrize(
    ("dialect", "sql", "why"),
    [(dialect, sql, why) for dialect, cases in STOPPED.items() for sql, why in cases.items()],
    ids=lambda value: value[:60],
)
async def test_what_does_harm_is_stopped(dialect: str, sql: str, why: str) -> None:
    assert await reason(sql, dialect=dialect, **SECRETS) == why


@pytest.mark.parametrize(
    ("sql", "settings"),
    [
        ("DELETE FROM t", {"missing_where": False}),
        ("DROP TABLE t", {"statements": ["drop"]}),
        ("SELECT 1; SELECT 2", {"max_statements": 2}),
        ("SELECT pg_sleep(1)", {"denied_functions": []}),
        ("hello world", {"unparsable": False}),
        ("EXPLAIN ANALYZE DROP TABLE t", {"statements": ["describe", "drop"]}),
    ],
)
async def test_each_rule_can_be_relaxed(sql: str, settings: dict[str, Any]) -> None:
    assert await reason(sql)
    assert await reason(sql, **settings) == ""


async def test_a_part_counts_as_a_statement_of_its_kind() -> None:
    assert await reason("WITH d AS (DELETE FROM t WHERE a = 1 RETURNING *) SELECT * FROM d", statements=["select"]) == (
        "delete is not allowed"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"sql": "DROP TABLE t"},
        {"SQL": ["SELECT 1", "DROP TABLE t"]},
        {"steps": [{"query": "DROP TABLE t"}]},
        {"anything": "/* a *//* b */ -- c\n DROP TABLE t"},
    ],
)
async def test_sql_is_found_in_arguments(arguments: dict[str, Any]) -> None:
    assert (await judge(policy(), tool_call("run_SQL", **arguments))).action == "block"


async def test_other_arguments_and_other_tools_are_not_sql() -> None:
    assert (await judge(policy(), tool_call("mysql_tables", schema="public"))).action == "allow"
    assert (await judge(policy(), tool_call("search_docs", query="DROP TABLE t"))).action == "allow"
    comments = "/**/" * 20_000
    assert (await judge(policy(), tool_call("mysql_tables", schema=comments))).action == "allow"


@pytest.mark.parametrize(
    "command",
    [
        "psql -c 'DROP TABLE t'",
        "psql -Atc'DROP TABLE t' db",
        "PGPASSWORD=x psql -h host --command='DROP TABLE t'",
        "psql db <<'END'\nDROP TABLE t;\nEND",
        "echo 'DROP TABLE t' | mysql -uroot db",
        "mysql -e'DROP TABLE t' db",
        "sqlite3 -header a.db 'SELECT 1' 'DROP TABLE t'",
        "sqlcmd -S host -Q 'DROP TABLE t'",
        "docker exec -i db psql -U a -c 'DROP TABLE t'",
        "sudo -u postgres psql <<END\nDELETE FROM t;\nEND",
        'bash -c "ssh host \\"psql -c \'DROP TABLE t\'\\""',
        "X='DROP TABLE t'; psql -c \"$X\"",
        'psql -c "SELECT * FROM $1"',
        "psql -c '\\! rm -rf /'",
        "cat dump.sql | psql",
        "sqlite3 a.db '.shell rm -rf /'",
        "psql -c 'SELECT 1' (",
    ],
)
async def test_sql_is_found_in_shell_commands(command: str) -> None:
    assert (await judge(policy(), tool_call("bash", command=command))).action == "block"
    assert (await judge(policy(shell=False), tool_call("bash", command=command))).action == "allow"


@pytest.mark.parametrize(
    "command",
    [
        "psql -c 'SELECT 1'",
        "psql -U a -d db -c '\\dt+ public.*'",
        "psql <<END\n\\d t\nSELECT 1;\nEND",
        "sqlite3 a.db .tables",
        "sqlite3 a.db",
        "mysql --execute='SHOW TABLES' --host x",
        "psql -f migration.sql",
        "echo DROP TABLE t",
        "grep -r 'DROP TABLE' .",
    ],
)
async def test_commands_that_only_look_pass(command: str) -> None:
    assert (await judge(policy(), tool_call("bash", command=command))).action == "allow"


async def test_code_blocks_are_judged_only_if_wanted() -> None:
    assert not policy().overrides("on_text")
    judged = policy(code_blocks=True)
    assert judged.overrides("on_text")
    for answer in (
        "```sql\nDROP TABLE t\n```",
        "Run:\n~~~ PostgreSQL\nDROP TABLE t",
        "```py\n1\n```\n```mysql\nUSE x\n```",
    ):
        assert (await judge(judged, text(answer))).action == "block"
    for answer in ("DROP TABLE t", "```py\nDROP TABLE t\n```", "```sql\nSELECT 1\n```\nDROP TABLE t", "```"):
        assert (await judge(judged, text(answer))).action == "allow"


async def test_a_code_block_names_its_dialect() -> None:
    judged = policy(code_blocks=True)
    assert (await judge(judged, text("```mysql\nSELECT `a` FROM b\n```"))).action == "allow"


async def test_long_sql_is_parsed_beside_the_loop() -> None:
    assert await reason("INSERT INTO t VALUES " + ", ".join(["(1, 'a')"] * LONG)) == ""
    assert await reason("DELETE FROM t WHERE " + " OR ".join(["1 = 1"] * 500)) == "delete without a condition"


async def test_what_cannot_be_parsed_as_arguments_is_not_judged_here() -> None:
    with pytest.raises(ValueError):
        await policy().on_tool_call(ToolCall("1", "run_sql", "{"), Call())


def test_the_catalogue_does_not_import_the_parser() -> None:
    code = "import sys; from policies.registry import catalogue; catalogue(); assert 'sqlglot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
