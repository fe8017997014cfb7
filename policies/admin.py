"""The rows of policies in the admin, to be looked at. They are made and put in force on the console's own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from policies.models import Activation, Policy, PolicyVersion

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    """History: to be looked at."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Policy)
class PolicyAdmin(ReadOnlyAdmin):
    """The names alone: what can be done with a policy stands on its page of the console."""

    list_display = ["name", "created_at"]
    search_fields = ["name"]
    fields = ["name", "created_at"]


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "registered_name", "author", "created_at", "note", "short_checksum"]
    list_filter = ["policy", "registered_name"]
    list_select_related = ["policy"]
    fields = ["policy", "number", "registered_name", "config", "note", "author", "created_at", "checksum"]

    @admin.display(description="checksum")
    def short_checksum(self, version: PolicyVersion) -> str:
        return version.checksum[:12]


@admin.register(Activation)
class ActivationAdmin(ReadOnlyAdmin):
    list_display = [
        *("version", "mode", "scope_text", "percent", "order", "if_it_fails"),
        *("author", "created_at", "ended_at"),
    ]
    list_filter = ["mode", ("ended_at", admin.EmptyFieldListFilter), "policy"]
    list_select_related = ["policy", "version__policy"]

    @admin.display(description="scope")
    def scope_text(self, activation: Activation) -> str:
        narrowed = {field: patterns for field, patterns in activation.scope.items() if patterns != ["*"]}
        return "; ".join(f"{field} {', '.join(patterns)}" for field, patterns in narrowed.items()) or "everything"

    @admin.display
    def if_it_fails(self, activation: Activation) -> str:
        return "open: passes unjudged" if activation.on_failure == "open" else "closed: blocks"
