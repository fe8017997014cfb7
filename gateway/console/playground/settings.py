"""The settings under test while they are filled in: a stored version's, or those that a class begins with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import QueryDict
from pydantic import BaseModel, ValidationError

from gateway.console.labels import DRAFT
from gateway.console.replay.lineup import Subject
from policies.config_form import EDIT, PREFIX, Draft
from policies.models import Policy, PolicyVersion
from policies.registry import catalogue

SHOWN = "settings_of"
"""The name of the control that says whose settings a page showed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Of a class, as `draft`; they began as those of `version` if there is one."""

    registered_name: str
    version: PolicyVersion | None
    draft: Draft

    @classmethod
    def of(cls, registered_name: str, version: PolicyVersion | None = None) -> Settings | None:
        """Those of `version`, or the defaults of a class; None where there is no such class."""
        name = version.registered_name if version else registered_name
        chosen = catalogue().get(name)
        return cls(name, version, Draft.of(chosen.Config, version.config if version else None)) if chosen else None

    @classmethod
    def read(cls, posted: QueryDict) -> Settings | None:
        """What a browser sent. Settings that were shown before another policy was chosen are not taken for its own."""
        begun = cls.of(posted.get("policy_class", ""), stored(posted.get("version", "")))
        if begun is None:
            return None
        if posted.get(SHOWN) == begun.shown or (SHOWN not in posted and f"{PREFIX}-json" in posted):
            return replace(begun, draft=Draft.read(begun.draft.model, dict(posted.lists())))
        return begun if EDIT in posted else replace(begun, draft=begun.draft.judged())

    @property
    def shown(self) -> str:
        """Whose settings these are, as a page says and sends back."""
        return f"{self.version.pk if self.version else ''}/{self.registered_name}"

    def subject(self, policy: Policy | None) -> Subject:
        """What is under test: the stored version if nothing of it was changed, else a draft, of `policy` if given."""
        version = self.version
        if version is not None and _same(self.draft.model, self.draft.config, version.config):
            return Subject.of(version)
        policy = policy or (version.policy if version else None)
        return Subject(policy.name if policy else DRAFT, 0, self.registered_name, self.draft.config)


def stored(key: str) -> PolicyVersion | None:
    """The version with that key, as an address or a control has it."""
    if not (key.isascii() and key.isdecimal() and len(key) < 10):
        return None
    return PolicyVersion.objects.select_related("policy").filter(pk=int(key)).first()


def _same(model: type[BaseModel], one: object, other: object) -> bool:
    try:
        return model.model_validate(one) == model.model_validate(other)
    except ValidationError:
        return False
