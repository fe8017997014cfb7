"""A policy as somebody else would ship it."""

from pydantic import Field

from policies.base import Call, Policy
from policies.content import ToolCall
from policies.verdicts import Verdict, allow, block


class MailInTheHouse(Policy):
    """Stops tool calls that send mail to anybody outside of the domains that you list."""

    category = "tools"

    class Config(Policy.Config):
        domains: tuple[str, ...] = Field(("example.com",), description="Domains that may get mail, one a line.")

    config: Config

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        if tool_call.name != "send_mail":
            return allow()
        domain = tool_call.arguments["to"].rpartition("@")[2]
        return allow() if domain in self.config.domains else block("mail to a domain that is not listed")
