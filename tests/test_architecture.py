"""Rules of the house that no other tool checks: what may grow, what needs a test, what must be documented."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("policies", "observability", "gateway", "luthien_site")
MAX_LINES = 300

# A file may be longer for a reason, which is written beside it.
LONGER: dict[str, str] = {
    "tests/gateway/executor/test_blocks.py": "what becomes of blocks, a table of verdicts",
    "tests/gateway/executor/test_failures.py": "every way to fail at every hook",
    "tests/gateway/executor/test_promise.py": "one property, with the machine that checks it",
    "tests/gateway/test_api.py": "every endpoint, and every error in its dialect",
    "tests/gateway/test_live_call.py": "every outcome of a call against a real server",
    "tests/gateway/test_pipeline.py": "every way through the pipeline",
    "tests/gateway/running.py": "the real server that these tests drive",
    "tests/gateway/upstreams/test_demo.py": "the demo provider, each case in each dialect",
    "tests/policies/library/test_block_dangerous_commands.py": "lists of commands, one a line",
    "tests/policies/library/test_block_sensitive_writes.py": "lists of commands, one a line",
    "tests/policies/library/test_block_web_requests.py": "lists of commands, one a line",
}

# Modules, or all those of a folder, whose test is not the one that mirrors them: which file or folder covers them.
COVERED_BY: dict[str, str] = {
    "gateway/shared_redis.py": "tests/gateway/test_session_memory.py",
    "policies/asking.py": "tests/policies/test_base.py",
    "policies/limiting": "tests/policies/library/test_limits.py",
    "policies/fetching.py": "tests/policies/library/test_remote.py",
    "policies/models.py": "tests/policies/test_services.py",
    "policies/remote_service": "tests/policies/library/test_remote.py",
    "policies/signals.py": "tests/policies/test_services.py",
    "policies/judging/rulings.py": "tests/policies/library/test_plain_english_rules.py",
    "policies/judging/settings.py": "tests/policies/library/test_tool_call_judge.py",
    "policies/matching/data_policy.py": "tests/policies/library/test_secrets.py",
    "policies/matching/lookalikes.py": "tests/policies/matching/test_folding.py",
    "policies/matching/places.py": "tests/policies/library/test_secrets.py",
    "policies/library": "tests/policies/library/test_small_policies.py",
    "observability/activity/__init__.py": "tests/gateway/test_activity.py",
    "observability/activity/answers.py": "tests/gateway/test_activity.py",
    "observability/activity/cursors.py": "tests/observability/activity/test_memory.py",
    "observability/activity/history.py": "tests/gateway/test_activity.py",
    "observability/activity/stream.py": "tests/gateway/test_activity.py",
    "observability/rows/attempts.py": "tests/observability/recording/test_recorder.py",
    "observability/activity/consumers.py": "tests/console/test_activity.py",
    "observability/activity/routing.py": "tests/console/test_activity.py",
    "gateway/stopping.py": "tests/gateway/test_activity.py",
    "observability/rows/batch.py": "tests/observability/recording/test_writer.py",
    "observability/bodies/blobs.py": "tests/observability/bodies/test_payloads.py",
    "observability/bodies/recipes.py": "tests/observability/bodies/test_payloads.py",
    "observability/management/commands/seed_calls.py": "tests/observability/seeding/test_seeding.py",
    "observability/search/entry.py": "tests/observability/search/test_listing.py",
    "observability/search/indexer.py": "tests/observability/search/test_indexing.py",
    "observability/bodies/decompression.py": "tests/observability/bodies/test_packing.py",
    "observability/search/matching.py": "tests/observability/search/test_listing.py",
    "observability/sessions/bodies.py": "tests/observability/sessions/test_views.py",
    "observability/sessions/export.py": "tests/observability/sessions/test_views.py",
    "observability/sessions/models.py": "tests/observability/sessions/test_rollup.py",
    "observability/sessions/reading.py": "tests/observability/sessions/test_views.py",
    "observability/search/views.py": "tests/observability/calls/test_views.py",
    "luthien_site/proofs/copies.py": "tests/luthien_site/proofs/test_million.py",
    "luthien_site/proofs/questions.py": "tests/luthien_site/proofs/test_million.py",
    "luthien_site/proofs/told.py": "tests/luthien_site/proofs/test_viewers.py",
    "luthien_site/proofs/watchers.py": "tests/luthien_site/proofs/test_viewers.py",
    "observability/calls/page.py": "tests/observability/calls/test_views.py",
    "observability/calls/story.py": "tests/observability/calls/test_views.py",
    "observability/diffs/sections.py": "tests/observability/diffs/test_views.py",
    "observability/recording/committer.py": "tests/observability/recording/test_writer.py",
    "observability/bodies/content.py": "tests/observability/test_queries.py",
    "observability/context_processors.py": "tests/observability/figures/test_fail_open.py",
    "observability/rows/database.py": "tests/observability/recording/test_writer.py",
    "observability/rows/decisions.py": "tests/observability/recording/test_recorder.py",
    "observability/rows/entries.py": "tests/observability/recording/test_recorder.py",
    "observability/exporters": "tests/observability/exporters",
    "observability/reports": "tests/observability/reports",
    "observability/forms.py": "tests/observability/reports/test_page.py",
    "observability/fields.py": "tests/observability/test_queries.py",
    "observability/recording/handover.py": "tests/observability/recording/test_writer.py",
    "observability/recording/inbox.py": "tests/observability/recording/test_writer.py",
    "observability/jobs/standing.py": "tests/observability/jobs/test_views.py",
    "observability/jobs/watching.py": "tests/observability/jobs/test_views.py",
    "observability/jobs/models.py": "tests/observability/jobs/test_jobs.py",
    "observability/models.py": "tests/observability/test_queries.py",
    "observability/processes.py": "tests/luthien_site/backup/test_backup.py",
    "observability/rows/process.py": "tests/observability/recovery/test_orphans.py",
    "observability/retention": "tests/observability/retention",
    "observability/management/commands/erase.py": "tests/observability/retention/test_commands.py",
    "observability/management/commands/purge.py": "tests/observability/retention/test_commands.py",
    "observability/reviews/forgetting.py": "tests/observability/reviews/test_labelling.py",
    "observability/reviews/models.py": "tests/observability/reviews/test_labelling.py",
    "observability/templatetags/reviews.py": "tests/observability/reviews/test_views.py",
    "observability/schedule.py": "tests/observability/jobs/test_jobs.py",
    "observability/sealing/heads.py": "tests/observability/sealing/test_statement.py",
    "observability/policy_rows.py": "tests/observability/test_audit.py",
    "observability/sealing/keys.py": "tests/observability/sealing/test_sealer.py",
    "observability/sealing/stragglers.py": "tests/observability/sealing/test_sealer.py",
    "observability/templatetags/report_format.py": "tests/observability/reports/test_page.py",
    "observability/shapes.py": "tests/observability/test_api.py",
    "observability/rows/statements.py": "tests/observability/recording/test_writer.py",
    "observability/recording/tap.py": "tests/observability/recording/test_recorder.py",
    "observability/tasks.py": "tests/observability/jobs/test_jobs.py",
    "observability/rows/timings.py": "tests/observability/recording/test_recorder.py",
    "observability/recording/waiting.py": "tests/observability/recording/test_writer.py",
    "observability/management/commands/verify_audit.py": "tests/observability/verification/test_command.py",
    "observability/verification/audit.py": "tests/observability/verification/test_run.py",
    "observability/verification/bodies.py": "tests/observability/verification/test_run.py",
    "observability/verification/calls.py": "tests/observability/verification/test_run.py",
    "observability/verification/policies.py": "tests/observability/verification/test_run.py",
    "observability/verification/report.py": "tests/observability/reports/test_tampering.py",
    "observability/verification/report_summary.py": "tests/observability/reports/test_command.py",
    "observability/verification/snapshot.py": "tests/observability/verification/test_run.py",
    "luthien_site/backup": "tests/luthien_site/backup/test_backup.py",
    "luthien_site/management/commands/backup.py": "tests/luthien_site/backup/test_backup.py",
    "luthien_site/management/commands/restore.py": "tests/luthien_site/backup/test_backup.py",
    "luthien_site/bench/relay.py": "tests/luthien_site/bench/test_run.py",
    "luthien_site/proofs/clients.py": "tests/luthien_site/proofs/test_crash.py",
    "gateway/beginnings.py": "tests/gateway/test_live_call.py",
    "gateway/notifications/forgetting.py": "tests/observability/retention/test_pages.py",
    "gateway/console": "tests/console",
    "gateway/templatetags": "tests/console",
    "gateway/dialects": "tests/gateway/dialects",
    "gateway/executor": "tests/gateway/executor",
    "gateway/encodings.py": "tests/gateway/upstreams/test_encodings.py",
    "gateway/errors.py": "tests/gateway/dialects/test_errors.py",
    "gateway/forwarding.py": "tests/gateway/test_conformance.py",
    "gateway/health.py": "tests/gateway/test_api.py",
    "gateway/management/commands/apply_config.py": "tests/gateway/test_config_file.py",
    "gateway/management/commands/create_key.py": "tests/gateway/test_services.py",
    "gateway/management/commands/demo_provider.py": "tests/gateway/upstreams/test_native.py",
    "gateway/management/commands/export_config.py": "tests/gateway/test_config_file.py",
    "gateway/notifications/models.py": "tests/gateway/notifications/test_services.py",
    "gateway/notifications/sending.py": "tests/gateway/notifications/test_delivering.py",
    "gateway/questions.py": "tests/gateway/test_judge.py",
    "gateway/pricing.py": "tests/gateway/test_limits.py",
    "gateway/tasks.py": "tests/console/test_backtest_pages.py",
    "gateway/secrets.py": "tests/gateway/test_models.py",
    "gateway/upstreams/demo/openai_responses.py": "tests/gateway/upstreams/test_demo_responses.py",
    "gateway/websockets.py": "tests/luthien_site/test_asgi.py",
    "gateway/upstreams/base.py": "tests/gateway/upstreams/test_native.py",
    "gateway/upstreams/broken.py": "tests/gateway/test_directory.py",
    "gateway/upstreams/litellm/answers.py": "tests/gateway/upstreams/litellm/test_upstream.py",
    "gateway/upstreams/probe.py": "tests/gateway/test_admin.py",
    "luthien_site/static_files.py": "tests/luthien_site/test_security.py",
    "luthien_site/lifespan.py": "tests/luthien_site/test_asgi.py",
    "luthien_site/management/commands/claude.py": "tests/luthien_site/test_launching.py",
    "luthien_site/management/commands/codex.py": "tests/luthien_site/test_launching.py",
    "luthien_site/urls.py": "tests/luthien_site/test_security.py",
    "luthien_site/management/commands/set_up.py": "tests/luthien_site/test_first_start.py",
    "luthien_site/management/commands/test.py": "tests/luthien_site/test_testing.py",
}
# What declares and does not compute.
NO_TEST = frozenset({"__init__.py", "apps.py", "admin.py", "urls.py"})


def sources() -> Iterator[Path]:
    """Our Python files, migrations left out."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT)


def written_files() -> Iterator[Path]:
    """Every file that somebody wrote by hand and somebody has to read."""
    yield from sources()
    for folder, pattern in (("tests", "*.py"), ("templates", "*.html"), ("static", "*.js"), ("static", "*.css")):
        for path in sorted((ROOT / folder).rglob(pattern)):
            if "vendor" not in path.parts:
                yield path.relative_to(ROOT)


def test_imports_point_one_way_and_pure_modules_stay_pure() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_calls_itself_pure_is_held_to_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    held = {module for contract in contracts for module in contract.get("source_modules", ())}
    loose = [str(path) for path in sources() if calls_itself_pure(path) and not held.intersection(modules(path))]
    assert loose == []


def calls_itself_pure(path: Path) -> bool:
    return "Pure." in (ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or "")


def modules(path: Path) -> set[str]:
    """The dotted name of a file, and of the packages that it is in."""
    return {str(place).removesuffix(".py").replace("/", ".") for place in (path, *path.parents)}


def test_no_file_is_too_long_without_a_reason() -> None:
    lengths = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in written_files()}
    assert {path for path, lines in lengths.items() if lines > MAX_LINES} == set(LONGER)


def test_every_module_has_a_test_that_mirrors_it_or_is_named() -> None:
    untested = [str(path) for path in sources() if needs_test(path) and not has_test(path)]
    assert untested == []


def needs_test(path: Path) -> bool:
    if path.name in NO_TEST and str(path) not in COVERED_BY:
        return False
    return bool(ast.parse((ROOT / path).read_text(encoding="utf-8")).body)


def has_test(path: Path) -> bool:
    """Whether a/b.py has tests/a/test_b.py, tests/a/test_b_*.py or tests/a/b/; a package's own test covers its modules.

    A command's test stands with its app.
    """
    if any(str(place) in COVERED_BY for place in (path, *path.parents)):
        return True
    folder = path.parent.parent.parent if path.match("management/commands/*") else path.parent
    return mirrored(folder, path.stem) or (folder.parent != Path() and mirrored(folder.parent, folder.name, files=True))


def mirrored(folder: Path, name: str, files: bool = False) -> bool:
    tests = ROOT / "tests" / folder
    if not files and (tests / name).is_dir():
        return True
    return any(chain(tests.glob(f"test_{name}.py"), tests.glob(f"test_{name}_*.py")))


def test_the_exceptions_name_files_that_are_there_and_need_one() -> None:
    for path in (*LONGER, *COVERED_BY, *COVERED_BY.values()):
        assert (ROOT / path).exists(), path
    assert [path for path in COVERED_BY if path.endswith(".py") and mirrored(Path(path).parent, Path(path).stem)] == []


def test_every_variable_of_the_settings_stands_in_the_example() -> None:
    tree = ast.parse((ROOT / "luthien_site/settings.py").read_text(encoding="utf-8"))
    read = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "environment"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    read_by_launchers = {"LUTHIEN_API_KEY"}
    assert read | read_by_launchers == set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))], ids=lambda path: path.name)
def test_the_documents_point_at_files_that_are_there(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements/*")), ids=lambda path: path.name)
def test_requirements_name_no_host(path: Path) -> None:
    assert "://" not in path.read_text(encoding="utf-8")


def test_the_locks_hold_hashes_and_the_tests_lock_is_a_superset() -> None:
    base, dev = (pins(ROOT / "requirements" / name) for name in ("base.txt", "dev.txt"))
    assert base
    assert base <= dev


def pins(lock: Path) -> set[str]:
    """What a lock pins, each with its hashes."""
    text = re.sub(r"\n    # .*", "", lock.read_text(encoding="utf-8"))
    entries = set(re.split(r"\n(?=\S)", text.strip()))
    assert all("--hash=sha256:" in entry for entry in entries)
    return entries
