"""What makes an installation usable: tables, the first administrator and key, the configuration, and how to get in."""

import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

WAYS_IN = """
Luthien            {url}/
Admin              user admin, password {password}
API key            {key}

Claude Code        export ANTHROPIC_BASE_URL={url}
                   export ANTHROPIC_AUTH_TOKEN={shown}
                   claude
Anthropic SDK      Anthropic(base_url="{url}", auth_token="{shown}")
OpenAI SDK         OpenAI(base_url="{url}/v1", api_key="{shown}")
Without a provider, the model demo/echo answers:
                   curl {url}/v1/messages -H "x-api-key: {shown}" -H "content-type: application/json" \\
                   -d '{{"model": "demo/echo", "max_tokens": 99, "messages": [{{"role": "user", "content": "Hello"}}]}}'
"""
KEY_AS_BEFORE = "as before (manage.py create_key NAME makes another)"


def prepare(url: str) -> str:
    """Brings the database up to date, makes what is not there yet, and returns what to tell the person who started it.

    A secret that was made is in that text, this once.
    """
    from gateway.config_file import apply_if_changed
    from gateway.services import first_run
    from luthien_site import roles

    call_command("migrate", interactive=False, verbosity=0)
    roles.make()
    password = first_admin(settings.LUTHIEN_ADMIN_PASSWORD)
    key = first_run()
    if settings.LUTHIEN_CONFIG:
        apply_if_changed(settings.LUTHIEN_CONFIG)
    return WAYS_IN.format(url=url, password=password, key=key or KEY_AS_BEFORE, shown=key or "YOUR_KEY")


def first_admin(given: str) -> str:
    """Makes the user `admin` unless it is there; returns what to say of its password, itself only if it was made up."""
    users = get_user_model().objects
    if users.filter(username="admin").exists():
        return "as before"
    password = given or secrets.token_urlsafe(12)
    users.create_superuser("admin", password=password)
    return "as LUTHIEN_ADMIN_PASSWORD says" if given else password
