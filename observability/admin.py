"""Jobs and audit events in the admin, to read. Calls have pages of their own."""

from __future__ import annotations

from django.contrib import admin

from policies.admin import ReadOnlyAdmin

from .models import AuditEvent, Job


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
