"""The forms by which people log in, at the console's page and at the admin's."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from observability.logins import WITHIN, is_throttled


class Login(AuthenticationForm):
    """Checks no password where too many were wrong."""

    def clean(self) -> dict[str, Any]:
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        if is_throttled(self.cleaned_data.get("username", ""), address):
            minutes = int(WITHIN.total_seconds()) // 60
            raise ValidationError(f"Too many logins failed. Try again in {minutes} minutes.", code="throttled")
        return super().clean()


class AdminLogin(Login, AdminAuthenticationForm):
    """The same for staff alone."""
