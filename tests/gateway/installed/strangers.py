"""A policy package of a stranger's, as a server finds it installed: it does at one hook what its config says."""

import asyncio
import dataclasses
from typing import Any

from pydantic import BaseModel

from policies.base import Call, Policy
from policies.content import Request, Response, Text, Thinking, ToolCall
from policies.events import Event
from policies.verdicts import allow, block, refuse, replace, reroute, respond, retry, stop


class Puppet(Policy):
    """Does at `hook` what `does` says."""

    class Config(Policy.Config):
        hook: str
        does: str
        argument: str = ""

    config: Config

    def overrides(self, hook: str) -> bool:
        return hook == self.config.hook

    async def on_request(self, request: Request, call: Call) -> Any:
        if self.config.does == "add":
            return replace(request.map_text(lambda text: text + self.config.argument))
        if self.config.does == "tag":
            system = (*request.system, Text(self.config.argument))
            return replace(dataclasses.replace(request, system=system))
        return await self._act()

    def on_event(self, event: Event, call: Call) -> Any:
        return event if self.config.does == "allow" else self._act_now()

    def on_text_delta(self, text: str, call: Call, final: bool) -> Any:
        return self._act_now()

    async def on_text(self, text: Text, call: Call) -> Any:
        return await self._act()

    async def on_thinking(self, thinking: Thinking, call: Call) -> Any:
        return await self._act()

    def on_tool_call_delta(self, fragment: str, call: Call) -> None:
        self._act_now()

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Any:
        return await self._act()

    async def on_answer(self, response: Response, call: Call) -> Any:
        if self.config.does == "retry once":
            first = call.state.setdefault("first", True)
            call.state["first"] = False
            return retry(self.config.argument) if first else allow()
        return await self._act()

    def on_finish(self, reason: str, call: Call) -> None:
        self._act_now()

    async def on_end(self, call: Call, outcome: str) -> None:
        await self._act()

    async def _act(self) -> Any:
        argument = self.config.argument
        match self.config.does:
            case "hang":
                await asyncio.Event().wait()
            case "wait":
                await asyncio.sleep(float(argument))
                return allow()
            case "respond":
                return respond(argument)
            case "reroute":
                return reroute(argument)
            case "retry":
                return retry(argument)
        return _VERDICTS.get(self.config.does) or self._act_now()

    def _act_now(self) -> Any:
        if self.config.does == "rubbish":
            return {"not": "a verdict"}
        raise RuntimeError("the puppet's own secret failure")


class AsksAJudge(Policy):
    """Blocks what a judge finds bad, in requests and in answers."""

    class Config(Policy.Config):
        model: str
        deadline: float = 10

    class Opinion(BaseModel):
        bad: bool

    config: Config

    async def on_request(self, request: Request, call: Call) -> Any:
        return await self._opinion(request.last_user_text, call) if "judge me" in request.last_user_text else allow()

    async def on_text(self, text: Text, call: Call) -> Any:
        return await self._opinion(text.text, call)

    async def _opinion(self, subject: str, call: Call) -> Any:
        asked = "Is this bad?"
        opinion = await call.ask(self.config.model, asked, subject, self.Opinion, deadline=self.config.deadline)
        return block("the judge finds it bad") if opinion.bad else allow()


_VERDICTS = {
    "allow": allow(),
    "block": block("the puppet says no"),
    "stop": stop("the puppet says stop"),
    "refuse": refuse(429, "too much today", retry_after=7.2),
    "refuse for good": refuse(429, "the budget is spent"),
}
