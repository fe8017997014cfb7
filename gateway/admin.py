"""Teams, keys, providers and routes in the console. Every change goes through the services."""

from __future__ import annotations

import dataclasses
from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from gateway import services
from gateway.directory import loading
from gateway.models import ApiKey, Fallback, ModelRoute, Provider, Team, validate_credential
from gateway.upstreams.native import Timeouts
from gateway.upstreams.probe import Finding, probe

PROBE_TIMEOUTS = Timeouts(connect=5, first_byte=10, idle=10)


def actor(request: HttpRequest) -> str:
    """Who is behind a change, as the audit names them."""
    return request.user.get_username()


class DeletedByService:
    """Deletes through the service, one by one, so that each deletion is announced."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.delete(obj, actor=actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            services.delete(row, actor=actor(request))


@admin.register(Team)
class TeamAdmin(DeletedByService, admin.ModelAdmin):
    search_fields = ("name",)

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:
        services.save_team(obj, actor=actor(request))


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    list_display = ("name", "shown", "team", "can_call", "can_read", "created_at", "last_used_at", "revoked_at")
    list_filter = ("team", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("team",)
    search_fields = ("name", "prefix", "team__name")
    actions = ("revoke",)
    fields = ("name", "team", "can_call", "can_read")

    @admin.display(description="key", ordering="prefix")
    def shown(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            services.revoke_key(key, actor=actor(request))
        self.message_user(request, "Revoked. Within two seconds these keys open nothing.", messages.SUCCESS)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return self.fields if obj is None else (*self.fields, *self.get_readonly_fields(request, obj)[1:])

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return () if obj is None else ("name", "shown", "created_at", "last_used_at", "revoked_at")

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        team = obj.team.name if obj.team else None
        if change:
            services.set_key_rights(obj, team=team, read=obj.can_read, call=obj.can_call, actor=actor(request))
            return
        made, secret = services.create_key(
            obj.name, team=team, read=obj.can_read, call=obj.can_call, actor=actor(request)
        )
        obj.pk, obj.prefix, obj.digest = made.pk, made.prefix, made.digest
        request.new_key = secret  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The page that shows the secret: it is in this answer and nowhere else, not even in a session."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"Key {obj.name}",
            "opts": self.opts,
            "key": obj,
            "secret": request.new_key,  # type: ignore[attr-defined]
        }
        response = TemplateResponse(request, "admin/gateway/apikey/created.html", context)
        add_never_cache_headers(response)
        return response


class ProviderForm(forms.ModelForm):
    api_key = forms.CharField(
        label="API key",
        required=False,
        max_length=4000,
        validators=[validate_credential],
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stored encrypted and never shown again.",
    )
    forget_api_key = forms.BooleanField(label="forget the stored API key", required=False)

    class Meta:
        model = Provider
        fields = (
            *(
                "name",
                "dialect",
                "litellm_provider",
                "litellm_options",
                "base_url",
                "api_key",
                "forget_api_key",
                "enabled",
                "passthrough",
                "responses",
            ),
            *("connect_timeout", "first_byte_timeout", "idle_timeout", "extra_headers"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.sealed_api_key:
            self.fields["api_key"].widget.attrs["placeholder"] = "stored; leave empty to keep it"

    @property
    def new_api_key(self) -> str | None:
        """What to store: None keeps what is there."""
        given: str = self.cleaned_data["api_key"]
        return given or ("" if self.cleaned_data["forget_api_key"] else None)


@admin.register(Provider)
class ProviderAdmin(DeletedByService, admin.ModelAdmin):
    form = ProviderForm
    change_form_template = "admin/gateway/provider/change_form.html"
    list_display = ("name", "dialect", "base_url", "credential", "enabled")
    list_filter = ("dialect", "enabled")
    search_fields = ("name", "base_url")
    actions = ("test",)

    @admin.display(boolean=True)
    def credential(self, provider: Provider) -> bool:
        return bool(provider.sealed_api_key)

    @admin.action(description="Test the selected providers", permissions=["change"])
    def test(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        for provider in queryset:
            self._test(request, provider)

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        services.save_provider(obj, actor=actor(request), api_key=form.new_api_key)

    def response_add(self, request: HttpRequest, obj: Provider, post_url_continue: str | None = None) -> HttpResponse:
        return self._tested(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Provider) -> HttpResponse:
        return self._tested(request, obj) or super().response_change(request, obj)

    def _tested(self, request: HttpRequest, provider: Provider) -> HttpResponse | None:
        if "_test" not in request.POST:
            return None
        self._test(request, provider)
        return HttpResponseRedirect(reverse("admin:gateway_provider_change", args=[provider.pk]))

    def _test(self, request: HttpRequest, provider: Provider) -> None:
        finding = async_to_sync(_probe)(provider)
        level = messages.SUCCESS if finding.ok else messages.ERROR
        self.message_user(request, f"Provider {provider}: {finding.text} ({finding.seconds * 1000:.0f} ms)", level)


class FallbackFormSet(forms.BaseInlineFormSet):
    @property
    def targets(self) -> list[Fallback]:
        """Those that are to stay or to come, in their order."""
        filled = [form for form in self.forms if form.cleaned_data.get("provider")]
        return [form.instance for form in filled if not form.cleaned_data.get("DELETE")]

    def clean(self) -> None:
        super().clean()
        if any(self.errors) or self.instance.provider_id is None:
            return
        try:
            services.check_fallbacks(self.instance, self.targets)
        except ValidationError as error:
            raise ValidationError(error.messages) from None


class FallbackInline(admin.TabularInline):
    """Whom to ask when the route's provider cannot answer, from top to bottom."""

    model = Fallback
    formset = FallbackFormSet
    fields = ("provider", "model")
    extra = 0
    verbose_name_plural = "fallbacks: asked in this order when the provider cannot answer"


@admin.register(ModelRoute)
class ModelRouteAdmin(DeletedByService, admin.ModelAdmin):
    inlines = (FallbackInline,)
    list_display = ("match", "provider", "model", "wire", "order", "enabled")
    list_filter = ("provider", "enabled")
    list_select_related = ("provider",)
    search_fields = ("match", "model")

    def save_model(self, request: HttpRequest, obj: ModelRoute, form: Any, change: bool) -> None:
        """Stored with its fallbacks, as one change."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        (fallbacks,) = formsets
        fallbacks.save(commit=False)  # which notes what the page's own history says
        services.save_route(form.instance, actor=actor(request), fallbacks=fallbacks.targets)


async def _probe(provider: Provider) -> Finding:
    return await probe(loading.upstream(dataclasses.replace(loading.facts(provider), timeouts=PROBE_TIMEOUTS)))
