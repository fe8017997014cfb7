"""The demo provider: answers without key or network, as its `script` module says."""

from gateway.upstreams.demo.provider import MODELS
from gateway.upstreams.demo.upstream import DemoUpstream

__all__ = ["MODELS", "DemoUpstream"]
