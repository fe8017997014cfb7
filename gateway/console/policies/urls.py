from django.urls import path, register_converter

from gateway.console.policies import activating, authoring, reading
from policies.models import RESERVED


class PolicyName:
    """A policy's name, but for those that stand for pages."""

    regex = f"(?!(?:{'|'.join(sorted(RESERVED))})/)[a-z0-9][a-z0-9_.-]*"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PolicyName, "policy")

urlpatterns = [
    path("", reading.index, name="policies"),
    path("catalogue/", reading.catalogue, name="policy-catalogue"),
    path("new/", authoring.new_policy, name="policy-new"),
    path("<policy:name>/", reading.policy, name="policy"),
    path("<policy:name>/history/", reading.history, name="policy-history"),
    path("<policy:name>/diff/", reading.diff, name="policy-diff"),
    path("<policy:name>/versions/new/", authoring.new_version, name="policy-version-new"),
    path("<policy:name>/versions/<int:number>/", reading.version, name="policy-version"),
    path("<policy:name>/activate/", activating.choose, name="policy-activate"),
    path("<policy:name>/activate/confirm/", activating.confirm, name="policy-confirm"),
    path("<policy:name>/roll-back/", activating.roll_back, name="policy-roll-back"),
    path("<policy:name>/end/", activating.end, name="policy-end"),
]
