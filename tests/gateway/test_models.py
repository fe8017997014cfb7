import pytest
from django.core.exceptions import ValidationError
from pytest_django.fixtures import Settings

from gateway import secrets
from gateway.models import ApiKey, ModelRoute, Provider, validate_credential


def test_a_new_key_has_its_form_and_is_like_no_other() -> None:
    keys = {secrets.new_key() for _ in range(100)}
    assert len(keys) == 100
    for key in keys:
        assert key.startswith("lth_")
        assert len(key) == 44
        assert key[4:].isalnum()
        assert not secrets.mistyped(key)


def test_any_single_slip_is_told_from_an_unknown_key() -> None:
    key = secrets.new_key()
    for place in range(4, len(key)):
        other = "a" if key[place] != "a" else "b"
        assert secrets.mistyped(key[:place] + other + key[place + 1 :])
    assert secrets.mistyped(key[:-1])
    assert secrets.mistyped(key + "x")
    assert not secrets.mistyped("sk-somebody-elses")


def test_a_key_is_stored_as_a_hash_that_hangs_on_the_secret_key(settings: Settings) -> None:
    before = secrets.digest("lth_one")
    assert before == secrets.digest("lth_one") != secrets.digest("lth_two")
    settings.SECRET_KEY = "another"
    assert secrets.digest("lth_one") != before


def test_what_is_sealed_can_be_opened_under_the_same_secret_key_alone(settings: Settings) -> None:
    sealed = secrets.seal("sk-1")
    assert b"sk-1" not in sealed
    assert secrets.unseal(sealed) == secrets.unseal(memoryview(sealed)) == "sk-1"
    assert secrets.unseal(secrets.seal("")) == ""
    settings.SECRET_KEY = "another"
    with pytest.raises(secrets.Unreadable):
        secrets.unseal(sealed)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": "a b"}, "name"),
        ({"dialect": "smoke"}, "dialect"),
        ({"base_url": ""}, "base_url"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "https://x/?key=1"}, "base_url"),
        ({"idle_timeout": 0}, "idle_timeout"),
        ({"extra_headers": ["x"]}, "extra_headers"),
        ({"extra_headers": {"x": 1}}, "extra_headers"),
        ({"extra_headers": {"authorization": "x"}}, "extra_headers"),
    ],
)
def test_a_provider_that_could_not_work_is_refused(fields: dict[str, object], wrong: str) -> None:
    provider = Provider(**{"name": "p", "dialect": "openai", "base_url": "https://x/v1", **fields})
    with pytest.raises(ValidationError) as refused:
        provider.clean_fields()
        provider.clean()
    assert list(refused.value.message_dict) == [wrong]


def test_no_key_is_called_like_a_caller_with_a_credential_of_its_own() -> None:
    with pytest.raises(ValidationError, match="credential of their own"):
        ApiKey(name="passthrough:0123", digest="x", prefix="x").clean_fields()


def test_the_demo_provider_needs_no_address() -> None:
    provider = Provider(name="demo", dialect="demo")
    provider.clean_fields()
    provider.clean()


@pytest.mark.parametrize("value", ["a b", "a\nb", "é", "\x7f"])
def test_a_credential_that_no_header_takes_is_refused_unquoted(value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_credential(value)
    assert value not in str(refused.value)


def test_rows_are_called_by_their_names() -> None:
    assert str(Provider(name="p")) == "p"
    assert str(ModelRoute(match="gpt-*")) == "gpt-*"
