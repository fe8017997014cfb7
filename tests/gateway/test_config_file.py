from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from gateway import config_file, secrets, services
from gateway.config_file import ConfigError
from gateway.models import ApiKey, ModelRoute, Provider
from policies.models import Activation, Policy, PolicyVersion
from policies.services import revision

pytestmark = pytest.mark.django_db

WHOLE = """\
providers:
  anthropic: {dialect: anthropic, base_url: "https://ant.test", api_key: "${ANTHROPIC_API_KEY}", passthrough: true}
  openai:    {dialect: openai, base_url: "https://openai.test/v1", api_key: "${OPENAI_API_KEY}"}
models:
  - {match: "claude-*", provider: anthropic}
  - {match: "fast", provider: openai, model: gpt-5-mini, fallback: [{provider: anthropic, model: claude-small}]}
keys:
  - {name: ci, team: payments, key: "${CI_KEY}"}
policies:
  - name: quiet
    policy: uppercase_nth_word
    config: {n: 3}
    mode: enforce
    scope: {teams: ["payments"], keys: ["*"], models: ["*"]}
    percent: 100
    order: 10
    on_failure: closed
    deadline: 30
"""
VARIABLES = {"ANTHROPIC_API_KEY": "sk-ant", "OPENAI_API_KEY": "sk-oai", "CI_KEY": "a-key-of-their-own"}


def apply(text: str, **variables: str) -> config_file.Changes:
    return config_file.apply(text, actor="ann", variables={**VARIABLES, **variables})


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ConfigError) as refused:
        apply(text)
    return [(problem.line, problem.message) for problem in refused.value.problems]


def test_a_whole_file_is_applied() -> None:
    assert len(apply(WHOLE).lines) == 7
    assert Provider.objects.get(name="anthropic").api_key == "sk-ant"
    assert Provider.objects.get(name="anthropic").passthrough
    route = ModelRoute.objects.get(match="fast")
    assert (route.provider.name, route.model, route.order) == ("openai", "gpt-5-mini", 20)
    assert [str(fallback) for fallback in route.fallbacks.all()] == ["anthropic/claude-small"]
    key = ApiKey.objects.select_related("team").get(digest=secrets.digest("a-key-of-their-own"))
    assert (key.name, key.team and key.team.name, key.can_call, key.can_read) == ("ci", "payments", True, False)
    activation = Activation.objects.get()
    assert (activation.policy.name, activation.terms.scope.teams, activation.order) == ("quiet", ("payments",), 10)


def test_applied_again_it_changes_nothing(announced: list[dict[str, Any]]) -> None:
    apply(WHOLE)
    before = revision()
    announced.clear()
    assert not apply(WHOLE)
    assert announced == []
    assert revision() == before
    assert PolicyVersion.objects.count() == Activation.objects.count() == 1


def test_only_what_differs_is_changed() -> None:
    apply(WHOLE)
    changes = apply(WHOLE.replace("percent: 100", "percent: 50"))
    assert changes.lines == ("policy quiet@1 activated",)
    assert PolicyVersion.objects.count() == 1
    assert apply(WHOLE.replace("percent: 100", "percent: 50"), OPENAI_API_KEY="sk-new").lines == (
        "provider openai changed: api_key",
    )
    assert Provider.objects.get(name="openai").api_key == "sk-new"


def test_fallbacks_follow_the_file() -> None:
    apply(WHOLE)
    other = WHOLE.replace("model: claude-small}]", "model: claude-small}, {provider: anthropic}]")
    assert apply(other).lines == ("route fast changed: fallback",)
    assert [str(fallback) for fallback in ModelRoute.objects.get(match="fast").fallbacks.all()] == [
        "anthropic/claude-small",
        "anthropic",
    ]
    assert apply(WHOLE.replace(", fallback: [{provider: anthropic, model: claude-small}]", ""))
    assert not ModelRoute.objects.get(match="fast").fallbacks.exists()


def test_what_a_route_is_translated_to_follows_the_file() -> None:
    apply(WHOLE)
    translated = WHOLE.replace("model: gpt-5-mini", "model: gpt-5-mini, wire: responses")
    assert apply(translated).lines == ("route fast changed: wire",)
    assert ModelRoute.objects.get(match="fast").wire == "responses"
    assert "wire: responses" in config_file.export()
    assert apply(WHOLE.replace("{dialect: openai,", "{dialect: openai, responses: false,"))
    assert not Provider.objects.get(name="openai").responses and "responses: false" in config_file.export()
    assert problems(WHOLE.replace('"claude-*",', '"claude-*", wire: responses,')) == [
        (5, "models[1].wire: Only a provider that speaks OpenAI's dialects has this choice.")
    ]


def test_a_missing_section_is_left_alone_and_one_that_is_there_is_complete() -> None:
    apply(WHOLE)
    assert not apply("{}")
    assert not apply("")
    changes = apply("providers: {}\nmodels: []\nkeys: []\npolicies: []\n")
    assert len(changes.lines) == 6
    assert not Provider.objects.filter(enabled=True).exists()
    assert not ModelRoute.objects.filter(enabled=True).exists()
    assert not ApiKey.objects.live().exists()
    assert Policy.objects.get().current is None
    assert Provider.objects.count() == 2
    assert ApiKey.objects.count() == 1


def test_what_comes_back_is_put_in_use_again() -> None:
    apply(WHOLE)
    apply("providers: {}\nmodels: []\npolicies: []\n")
    assert apply(WHOLE.replace(', api_key: "${OPENAI_API_KEY}"', ""))
    assert Provider.objects.get(name="openai").enabled
    assert Provider.objects.get(name="openai").api_key == "sk-oai"
    assert PolicyVersion.objects.count() == 1


def test_the_demo_provider_stays_unless_the_file_says_otherwise() -> None:
    services.first_run()
    apply(WHOLE)
    assert Provider.objects.get(name="demo").enabled
    assert ModelRoute.objects.get(match="demo/*").enabled
    apply("providers: {demo: {dialect: demo, enabled: false}}")
    assert not Provider.objects.get(name="demo").enabled


def test_an_entry_without_its_secret_keeps_the_stored_one() -> None:
    apply(WHOLE)
    assert not apply(WHOLE.replace(', key: "${CI_KEY}"', "").replace(', api_key: "${OPENAI_API_KEY}"', ""))
    assert Provider.objects.get(name="openai").api_key == "sk-oai"


def test_another_secret_of_a_name_revokes_the_one_before() -> None:
    apply(WHOLE)
    apply(WHOLE, CI_KEY="another-key-of-theirs")
    live = ApiKey.objects.live().get()
    assert live.digest == secrets.digest("another-key-of-theirs")


def test_rights_and_teams_of_keys_follow_the_file() -> None:
    apply(WHOLE)
    apply("keys: [{name: ci, team: other, read: true}]")
    key = ApiKey.objects.live().select_related("team").get()
    assert (key.team and key.team.name, key.can_read, key.can_call) == ("other", True, False)


def test_a_dollar_sign_can_be_written() -> None:
    assert apply("providers: {p: {dialect: demo, extra_headers: {x: 'a$ $$ $${CI_KEY} ${CI_KEY}'}}}")
    assert Provider.objects.get().extra_headers == {"x": "a$ $$ ${CI_KEY} a-key-of-their-own"}


def test_what_is_exported_changes_nothing_and_holds_no_secret() -> None:
    services.first_run()
    services.create_key("reader", read=True, call=False, actor="ann")
    services.create_key("both", read=True, call=True, actor="ann")
    services.create_key("none", read=False, call=False, actor="ann")
    apply(WHOLE.replace('keys:\n  - {name: ci, team: payments, key: "${CI_KEY}"}\n', ""))
    apply("policies: [{name: q, policy: uppercase_nth_word, percent: 20, record: redacted, order: 5, mode: shadow}]")
    apply("providers: {demo: {dialect: demo, extra_headers: {x: 'a $${HOME} b'}}}\n")
    text = config_file.export()
    before = revision()
    assert not apply(text)
    assert revision() == before
    assert not any(secret in text for secret in VARIABLES.values())
    assert set(yaml.safe_load(text)) == {"providers", "models", "keys", "policies", "retention"}


def test_a_file_is_applied_at_start_when_it_differs_from_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "luthien.yaml"
    file.write_text(WHOLE)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    assert config_file.apply_if_changed(file)
    services.set_enabled(Provider.objects.get(name="openai"), False, actor="ann")
    assert config_file.apply_if_changed(file) is None
    assert not Provider.objects.get(name="openai").enabled
    monkeypatch.setenv("OPENAI_API_KEY", "sk-new")
    assert config_file.apply_if_changed(str(file))
    assert Provider.objects.get(name="openai").enabled


def test_the_commands_apply_and_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "luthien.yaml"
    file.write_text("providers: {demo: {dialect: demo}}")
    call_command("apply_config", str(file))
    assert capsys.readouterr().out == f"provider demo created\nThis is revision {revision()}.\n"
    call_command("apply_config", str(file))
    assert capsys.readouterr().out == f"Nothing to change.\nThis is revision {revision()}.\n"
    call_command("export_config")
    assert yaml.safe_load(capsys.readouterr().out)["providers"] == {"demo": {"dialect": "demo"}}


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "luthien.yaml"
    file.write_text("nothing: 1")
    with pytest.raises(CommandError, match="line 1: nothing: unknown field"):
        call_command("apply_config", str(file))
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("apply_config", str(tmp_path / "absent"))
    file.write_bytes(b"\xff")
    with pytest.raises(CommandError, match="UTF-8"):
        call_command("apply_config", str(file))


def test_a_provider_of_litellms_is_applied_and_exported() -> None:
    text = (
        "providers: {aws: {dialect: litellm, litellm_provider: bedrock, litellm_options: {aws_region_name: eu-west-1}}}"
    )
    assert apply(text)
    assert not config_file.apply(config_file.export(), actor="ann", variables={})
    provider = Provider.objects.get(name="aws")
    assert (provider.litellm_provider, provider.litellm_options) == ("bedrock", {"aws_region_name": "eu-west-1"})


def test_a_name_that_litellm_does_not_know_is_refused_with_its_line() -> None:
    assert problems("providers:\n  g: {dialect: litellm, litellm_provider: gemni}") == [
        (2, "providers.g.litellm_provider: litellm knows no provider gemni; did you mean gemini?")
    ]
