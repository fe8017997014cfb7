"""What a database searches by: FTS5 over the entries, kept by triggers, or tsvector columns with a GIN index."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQLITE = (
    """
    CREATE VIRTUAL TABLE observability_search USING fts5(
        marks, text, content='observability_searchentry', content_rowid='number',
        tokenize='unicode61 remove_diacritics 0', columnsize=0
    )
    """,
    """
    CREATE TRIGGER observability_search_added AFTER INSERT ON observability_searchentry BEGIN
        INSERT INTO observability_search (rowid, marks, text) VALUES (new.number, new.marks, new.text);
    END
    """,
    """
    CREATE TRIGGER observability_search_gone AFTER DELETE ON observability_searchentry BEGIN
        INSERT INTO observability_search (observability_search, rowid, marks, text)
        VALUES ('delete', old.number, old.marks, old.text);
    END
    """,
)
# Punctuation becomes spaces first, or the parser would take a path or an address for one word.
POSTGRES = (
    r"""
    ALTER TABLE observability_searchentry
    ADD COLUMN marked tsvector GENERATED ALWAYS AS (array_to_tsvector(string_to_array(marks, ' '))) STORED,
    ADD COLUMN words tsvector GENERATED ALWAYS AS (
        to_tsvector('simple', translate(text, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                '))
    ) STORED
    """,
    "CREATE INDEX search_marked ON observability_searchentry USING gin (marked)",
    "CREATE INDEX search_words ON observability_searchentry USING gin (words)",
    "CREATE INDEX search_cost ON observability_searchentry (cost_microdollars)",
    "CREATE INDEX search_latency ON observability_searchentry (total_ms)",
    # The planner has to know what is rare: it chooses between an index of words and a walk from the newest call.
    *(
        f"ALTER TABLE observability_searchentry ALTER COLUMN {column} SET STATISTICS 1000"
        for column in ("marked", "cost_microdollars", "total_ms")
    ),
)


def make(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    statements = SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRES
    for statement in statements:
        schema_editor.execute(
            statement.replace("%", "%%") if schema_editor.connection.vendor != "sqlite" else statement
        )


def unmake(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "sqlite":
        for name in ("added", "gone"):
            schema_editor.execute(f"DROP TRIGGER observability_search_{name}")
        schema_editor.execute("DROP TABLE observability_search")
    else:
        schema_editor.execute("ALTER TABLE observability_searchentry DROP COLUMN marked, DROP COLUMN words")


class Migration(migrations.Migration):
    dependencies = [("observability", "0001_initial")]

    operations = [migrations.RunPython(make, unmake)]
