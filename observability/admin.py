"""Jobs and audit events in the admin, to read; users and groups, whose changes are on record."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

from policies.admin import ReadOnlyAdmin

from .accounts import Audited
from .models import AuditEvent, Job

admin.site.unregister([User, Group])


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("kind", "state", "progress", "total", "message", "created_by", "created_at", "finished_at")
    list_filter = ("state", "kind")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "action", "subject")
    list_filter = ("action",)
    search_fields = ("actor", "subject")
    fields = ("at", "actor", "action", "subject", "detail", "sequence")
    show_full_result_count = False


@admin.register(User)
class AuditedUserAdmin(Audited, UserAdmin):
    """As Django's own."""


@admin.register(Group)
class AuditedGroupAdmin(Audited, GroupAdmin):
    """As Django's own."""
