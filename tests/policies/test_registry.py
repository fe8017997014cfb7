import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from policies import library, registry
from policies.library.noop import Noop

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(autouse=True)
def fresh_registry() -> Iterator[None]:
    registry.reload()
    yield
    registry.reload()


def installed(monkeypatch: pytest.MonkeyPatch, **points: str) -> None:
    found = [EntryPoint(name, value, registry.GROUP) for name, value in points.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: found if group == registry.GROUP else [])
    registry.reload()


def test_the_library_is_registered_under_its_modules_names() -> None:
    modules = {path.stem for path in Path(library.__file__).parent.iterdir() if not path.name.startswith("_")}
    assert set(registry.catalogue()) == modules
    assert registry.broken() == {}


def test_the_documents_list_each_policy_of_the_library_and_each_of_its_settings() -> None:
    overview = (DOCS / "policies.md").read_text(encoding="utf-8")
    for name, policy in registry.catalogue().items():
        assert f"| [`{name}`](policies/{policy.category}.md#{name}) |" in overview, name
        page = (DOCS / "policies" / f"{policy.category}.md").read_text(encoding="utf-8")
        (section,) = re.findall(rf"^## {name}$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        for setting in policy.Config.model_fields:
            assert f"| `{setting}` |" in section, f"{name}.{setting}"


def test_each_policy_says_what_it_does_and_each_setting_what_it_is() -> None:
    for name, policy in registry.catalogue().items():
        assert len(registry.description(policy)) > 60, name
        for field, info in policy.Config.model_fields.items():
            assert info.description, f"{name}.{field}"


def test_an_installed_package_adds_a_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, theirs="policies.library.noop:Noop")
    assert registry.catalogue()["theirs"] is Noop


def test_a_broken_package_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, gone="no_such_package:Policy", wrong="json:loads", other="json:JSONDecoder", noop="json:x")
    assert "uppercase" in registry.catalogue() and registry.catalogue()["noop"] is Noop
    assert set(registry.broken()) == {"gone", "wrong", "other", "noop"}
    assert "no_such_package:Policy: ModuleNotFoundError" in registry.broken()["gone"]
    assert "not a policy class" in registry.broken()["wrong"]
    assert "taken" in registry.broken()["noop"]


def test_a_dotted_path_is_not_a_name() -> None:
    with pytest.raises(registry.NotRegistered):
        registry.build("policies.library.noop", {})


def test_a_class_that_cannot_be_made_is_an_invalid_config_that_quotes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(self: Noop, config: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(Noop, "__init__", explode)
    with pytest.raises(registry.InvalidConfig, match=r"^noop cannot be made: RuntimeError$"):
        registry.build("noop", {})


def test_a_wrong_config_names_its_field() -> None:
    with pytest.raises(registry.InvalidConfig, match=r"^extra: ") as caught:
        registry.build("noop", {"extra": 1})
    assert caught.value.errors[0][0] == "extra"
