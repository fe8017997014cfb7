"""Policies in the admin: versions are added, activations put in force and ended, and nothing of it is ever edited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from policies import registry, services
from policies.forms import ActivationForm, ConfigForm, config_form, terms_initial
from policies.models import Activation, Policy, PolicyVersion
from policies.snapshot import problem

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
    list_display = ["name", "in_force", "mode", "order", "percent", "status"]
    search_fields = ["name"]
    fields = ["name"]
    change_form_template = "admin/policies/policy/page.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("policies.add_policy"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("activations__version__policy")

    @admin.display(description="version in force")
    def in_force(self, policy: Policy) -> str:
        current = _current(policy)
        return str(current.version.number) if current else "none"

    @admin.display
    def mode(self, policy: Policy) -> str:
        current = _current(policy)
        return current.mode if current else ""

    @admin.display
    def order(self, policy: Policy) -> str:
        current = _current(policy)
        return str(current.order) if current else ""

    @admin.display
    def percent(self, policy: Policy) -> str:
        current = _current(policy)
        return f"{current.percent} %" if current else ""

    @admin.display
    def status(self, policy: Policy) -> str:
        current = _current(policy)
        if current is None:
            return "not in force"
        if problem(current.version):
            return "cannot be loaded: blocks"
        return "in force, fails open" if current.on_failure == "open" else "in force"

    def save_model(self, request: HttpRequest, obj: Policy, form: Any, change: bool) -> None:
        # The service stores it and tells the audit; the admin goes on with the row it made.
        obj.pk = services.create_policy(obj.name, actor=request.user.get_username()).pk
        obj._state.adding = False

    def response_add(self, request: HttpRequest, obj: Policy, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:policies_policy_new_version", args=[obj.pk]))

    def get_urls(self) -> list[URLPattern]:
        own = [
            ("new_version", "version/", self.new_version),
            ("activate", "activate/", self.activate),
            ("switch_mode", "mode/", require_POST(self.switch_mode)),
            ("end", "end/", require_POST(self.end)),
        ]
        return [
            path(f"<int:pk>/{route}", self.admin_site.admin_view(view), name=f"policies_policy_{name}")
            for name, route, view in own
        ] + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        policy = self.get_object(request, object_id)
        if policy is None:
            raise Http404
        current = policy.current
        context = {
            "title": "Policy",
            "current": current,
            "problem": problem(current.version) if current else "",
            "versions": policy.versions.all(),
            "activations": policy.activations.select_related("version__policy")[:20],
            "may_change": _may_change(request),
        }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def new_version(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Choose a registered class, then fill in its form."""
        policy = self._policy(request, pk)
        chosen = registry.catalogue().get(request.GET.get("class", ""))
        if chosen is None:
            catalogue = [(name, registry.description(found)) for name, found in registry.catalogue().items()]
            choice = {"catalogue": catalogue, "broken": dict(registry.broken())}
            return self._page(request, policy, "choose_class", "New version", choice)
        name = request.GET["class"]
        form_class = config_form(chosen.Config)
        if request.method != "POST":
            latest = policy.latest
            initial = latest.config if latest and latest.registered_name == name else None
            form = form_class(initial=initial, prefix="config")
        else:
            form = form_class(request.POST, prefix="config")
            if form.is_valid() and self._done(request, form, lambda: self._store_version(request, policy, name, form)):
                return self._back(policy)
        context: dict[str, Any] = {"form": form, "name": name, "description": registry.description(chosen)}
        return self._page(request, policy, "new_version", "New version", context)

    def activate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a version in force, on terms that begin as those of the last activation."""
        policy = self._policy(request, pk)
        if request.method != "POST":
            last = policy.activations.first()
            initial = terms_initial(last) if last else {}
            chosen = request.GET.get("version", "")
            initial["version"] = chosen if chosen.isdecimal() else policy.latest
            form = ActivationForm(policy, initial=initial)
        else:
            form = ActivationForm(policy, request.POST)
            if form.is_valid() and self._done(request, form, lambda: self._store_activation(request, form)):
                return self._back(policy)
        return self._page(request, policy, "activate", "Put in force", {"form": form})

    def switch_mode(self, request: HttpRequest, pk: int) -> HttpResponse:
        """From shadow to enforce or back: a new activation of the same version on the same terms."""
        policy = self._policy(request, pk)
        current = policy.current
        if current:
            terms = replace(current.terms, mode="shadow" if current.mode == "enforce" else "enforce")
            services.activate(current.version, terms, actor=request.user.get_username())
            messages.success(request, f"Version {current.version} is now in {terms.mode} mode.")
        return self._back(policy)

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        policy = self._policy(request, pk)
        services.deactivate(policy, actor=request.user.get_username())
        messages.success(request, f"Policy {policy} is no longer in force.")
        return self._back(policy)

    def _store_version(self, request: HttpRequest, policy: Policy, name: str, form: ConfigForm) -> None:
        version = services.create_version(
            policy, name, form.config, actor=request.user.get_username(), note=request.POST.get("note", "")
        )
        messages.success(request, f"Version {version} is stored. It is not in force yet.")

    def _store_activation(self, request: HttpRequest, form: ActivationForm) -> None:
        activation = services.activate(form.version_chosen, form.terms, actor=request.user.get_username())
        messages.success(request, f"Version {activation.version} is in force in {activation.mode} mode.")

    def _done(self, request: HttpRequest, form: Any, store: Callable[[], None]) -> bool:
        try:
            store()
        except services.InvalidPolicy as error:
            form.add_error(None, str(error))
            return False
        return True

    def _policy(self, request: HttpRequest, pk: int) -> Policy:
        if not _may_change(request):
            raise Http404
        policy: Policy = get_object_or_404(Policy, pk=pk)
        return policy

    def _back(self, policy: Policy) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:policies_policy_change", args=[policy.pk]))

    def _page(
        self, request: HttpRequest, policy: Policy, template: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "policy": policy,
            "title": title,
        } | context
        return TemplateResponse(request, f"admin/policies/policy/{template}.html", context)


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
        *("author", "created_at", "ended_at", "manage"),
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

    @admin.display(description="")
    def manage(self, activation: Activation) -> str:
        return format_html(
            '<a href="{}">policy</a>', reverse("admin:policies_policy_change", args=[activation.policy_id])
        )


def _current(policy: Policy) -> Activation | None:
    """The activation in force, from what was fetched with the list."""
    return next((activation for activation in policy.activations.all() if activation.ended_at is None), None)


def _may_change(request: HttpRequest) -> bool:
    return bool(
        request.user.has_perm("policies.add_activation") and request.user.has_perm("policies.add_policyversion")
    )
