"""What others build on: commands, variables, addresses, tables, outcomes. Who renames one breaks somebody else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import CommandParser, get_commands, load_command_class
from django.urls import resolve

from gateway.api import elsewhere
from gateway.config_file.shape import File, PolicyEntry, ProviderEntry, RouteEntry
from observability.activity.routing import websocket_urlpatterns
from observability.models import CallRecord, Outcome
from policies.registry import catalogue

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "up": {"--host", "--port", "--workers"},
    "test": set[str](),
    "prove": {"name", "--rounds"},
    "bench": set[str](),
    "check_code": set[str](),
    "create_key": {"name", "--team", "--read", "--call"},
    "apply_config": {"file"},
    "export_config": set[str](),
    "claude": set[str](),
    "codex": set[str](),
    "seed_calls": {"number"},
    "verify_audit": {"file", "--key"},
    "demo_provider": {"--port"},
    "backup": {"file"},
    "restore": {"file"},
}
VARIABLES = (
    *("LUTHIEN_DATA_DIR", "LUTHIEN_SECRET_KEY", "LUTHIEN_ADMIN_PASSWORD", "LUTHIEN_CONFIG", "LUTHIEN_RECORD"),
    *("LUTHIEN_AUTH", "DATABASE_URL", "REDIS_URL", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"),
    "OTEL_EXPORTER_OTLP_ENDPOINT",
)
ADDRESSES = (
    *("/", "/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions", "/v1/responses", "/v1/embeddings"),
    *("/v1/models", "/health", "/ready", "/metrics", "/activity/monitor", "/activity/stream"),
    *("/debug/calls", "/debug/calls/call_1", "/debug/calls/call_1/diff", "/debug/diff"),
    *("/calls/", "/calls/call_1/", "/calls/call_1/diff/", "/sessions/", "/sessions/s/", "/reports/"),
    *("/admin/", "/api/docs"),
)
LIBRARY = (
    *("noop", "debug_logging", "uppercase", "uppercase_nth_word", "string_replacement", "plain_dashes", "prefer_uv"),
    *("tool_filter", "block_dangerous_commands", "block_sensitive_writes", "block_web_requests", "sql_protection"),
    *("argument_rules", "tool_pinning", "secrets", "pii", "content_filter", "token_limits", "rate_limit", "budget"),
    *("model_access", "reroute", "tool_call_judge", "plain_english_rules", "remote", "conversation_link"),
)
OUTCOMES = {"finished", "blocked", "refused", "upstream_error", "cut", "cancelled", "stalled", "interrupted", "open"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_there_with_its_arguments(name: str) -> None:
    parser = CommandParser()
    load_command_class(get_commands()[name], name).add_arguments(parser)
    taken = {option for action in parser._actions for option in action.option_strings or [action.dest]}
    assert taken >= COMMANDS[name]


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_is_explained(name: str) -> None:
    assert re.search(rf"^#?{name}=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_leads_somewhere(address: str) -> None:
    assert resolve(address).func is not elsewhere


def test_live_activity_has_a_socket() -> None:
    assert [str(each.pattern) for each in websocket_urlpatterns] == ["ws/activity/"]


@pytest.mark.parametrize("name", LIBRARY)
def test_a_policy_is_registered_under_its_name(name: str) -> None:
    assert name in catalogue()


def test_the_table_of_calls_has_its_name_and_its_columns() -> None:
    assert CallRecord._meta.db_table == "observability_callrecord"
    for name in ("key", "team", "model"):
        assert CallRecord._meta.get_field(name).get_internal_type() == "TextField"


def test_a_call_ends_in_one_of_these_ways() -> None:
    assert set(Outcome.values) == OUTCOMES


def test_a_configuration_file_has_its_fields() -> None:
    assert set(File.model_fields) >= {"providers", "models", "keys", "policies"}
    assert set(ProviderEntry.model_fields) >= {"dialect", "base_url", "api_key", "litellm_provider", "passthrough"}
    assert set(RouteEntry.model_fields) >= {"match", "provider", "model", "fallback", "wire"}
    terms = {"mode", "scope", "percent", "order", "on_failure", "deadline", "record"}
    assert set(PolicyEntry.model_fields) >= {"name", "policy", "config"} | terms
