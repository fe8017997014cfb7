"""What people call a policy that is under test. Pure."""

DRAFT = "draft"
"""The name under which a draft judges that is of no policy yet."""


def label(name: str, version: int, registered_name: str) -> str:
    """A version 0 is a draft."""
    return f"{name}@{version}" if version else f"draft of {registered_name if name == DRAFT else name}"
