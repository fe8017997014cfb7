"""The form of an endpoint."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from gateway.models import Team
from gateway.notifications.messages import DEFAULT, EVENTS
from gateway.notifications.models import Endpoint
from observability.addresses import guard


class EndpointForm(forms.ModelForm):
    """Events are chosen from those there are; a team that is gone stays as it was."""

    team = forms.ChoiceField(label="Calls of", required=False)
    events = forms.MultipleChoiceField(
        label="Tell it when", choices=list(EVENTS.items()), initial=DEFAULT, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Endpoint
        fields = ("name", "url", "team", "events", "enabled")
        labels = {"enabled": "In use"}
        help_texts = {
            "url": "Where messages are posted. A private address has to stand in LUTHIEN_PRIVATE_HOSTS.",
            "enabled": "While it is not, nothing is queued for it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = dict.fromkeys(Team.objects.values_list("name", flat=True))
        names |= dict.fromkeys(filter(None, [self.instance.team]))
        self.fields["team"].choices = [("", "All teams"), *((name, name) for name in names)]  # type: ignore[attr-defined]
        self.fields["url"].widget = forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"})

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        if problem := _problem(url):
            raise ValidationError(problem)
        return url


def _problem(url: str) -> str:
    """Why such an address cannot be used; empty if it can, as far as that is known before its name is resolved."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "This is not an address."
    if parts.scheme not in ("http", "https") or not host or any(character.isspace() for character in url):
        return "An address begins with https:// or http:// and a host."
    if parts.username is not None or parts.fragment:
        return "An address with a user's name, a password or a fragment cannot be used."
    try:
        ip_address(host)
    except ValueError:
        return ""
    listed = guard(host, settings.LUTHIEN_PRIVATE_HOSTS)(host)
    return "" if listed else "This address is private, and LUTHIEN_PRIVATE_HOSTS does not list it."
