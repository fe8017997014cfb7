"""Asking a judge for a policy: one call of ours, by our credential, that no policy sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from gateway import judge_memory, prices
from gateway.dialects.recorded import fold_answers
from gateway.directory import Directory, Target
from gateway.errors import GatewayError
from gateway.judge_memory import JudgeMemory
from gateway.questions import one_object, outgoing
from policies.asking import JudgeFailed, Question
from policies.base import Call
from policies.content import NO_USAGE, Response, Usage
from policies.verdicts import Decision

Json = dict[str, Any]

LONGEST = 240.0
"""Seconds that a judge may take, whatever a policy says."""
LARGEST = 1024 * 1024
"""Bytes of a judge's answer. Far more than any needs, and still read without keeping other calls waiting."""

_remembered = JudgeMemory()


@dataclass(slots=True)
class _Spending:
    """What became of one question, as far as it came."""

    provider: str = ""
    model: str = ""
    usage: Usage = NO_USAGE
    cached: bool = False
    failure: str = "it was cut off"

    @property
    def evidence(self) -> Json:
        usage = self.usage
        return {
            "provider": self.provider,
            "model": self.model,
            "input_tokens": usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens,
            "output_tokens": usage.output_tokens,
            "cost_microdollars": prices.cost(self.model, usage) if self.model else None,
        } | ({"cached": True, "cost_microdollars": 0} if self.cached else {})

    def __str__(self) -> str:
        if self.cached:
            return f"{self.provider}/{self.model}: as it answered before"
        told = self.evidence
        cost = told["cost_microdollars"]
        price = f", ${cost / 1_000_000:.6f}" if cost is not None else ""
        return f"{self.provider}/{self.model}: {told['input_tokens']} tokens in, {told['output_tokens']} out{price}"


async def ask(
    directory: Directory, began: float, decide: Callable[[Decision], None], call: Call, question: Question
) -> Json:
    """The object that the judge answers with. What it cost is decided as `asked` or `ask_failed`, whatever happens.

    `began` is the start of the call by perf_counter. Raises JudgeFailed.
    """
    started, spending = perf_counter(), _Spending()
    try:
        answer = await _opinion(directory, question, spending, call)
        spending.failure = ""
        return answer
    except JudgeFailed as failure:
        spending.failure = str(failure)
        raise
    finally:
        decide(_decision(call, question, spending, began, started))


async def _opinion(directory: Directory, question: Question, spending: _Spending, call: Call) -> Json:
    """The answer, remembered or asked for. Only one of the right form is remembered. Raises JudgeFailed."""
    target = directory.target(question.model)
    if target is None:
        raise JudgeFailed(f"the judge {question.model} is not served here")
    spending.provider, spending.model = target.provider, target.model
    key = judge_memory.key(call, question, target) if question.cache else b""
    known = _remembered.get(key) if key else None
    if known is not None:
        spending.cached = True
        return known
    answer = await _within(target, question, spending, call.id)
    question.read(answer)
    if key:
        _remembered.keep(key, answer)
    return answer


async def _within(target: Target, question: Question, spending: _Spending, call_id: str) -> Json:
    deadline = min(question.deadline, LONGEST)
    try:
        async with asyncio.timeout(deadline):
            response = await _answer(target, question, call_id)
    except TimeoutError:
        raise JudgeFailed(f"the judge {question.model} did not answer within {deadline:g} s") from None
    except GatewayError as error:
        raise JudgeFailed(f"the judge {question.model} could not be asked: {error}") from None
    spending.usage = response.usage
    return one_object(question.model, response.text)


async def _answer(target: Target, question: Question, call_id: str) -> Response:
    """Raises JudgeFailed and GatewayError."""
    request, read = outgoing(question, target, call_id)
    async with target.upstream.send(request) as answer:
        if answer.status >= 400:
            raise JudgeFailed(f"the judge {question.model} answered with status {answer.status}")
        body = await _bounded(question.model, answer.chunks())
    answers = fold_answers(read(body))
    if not answers:
        raise JudgeFailed(f"the judge {question.model} answered nothing")
    return answers[0]


async def _bounded(model: str, chunks: AsyncGenerator[bytes, None]) -> bytes:
    body = bytearray()
    async with aclosing(chunks):
        async for chunk in chunks:
            body += chunk
            if len(body) > LARGEST:
                raise JudgeFailed(f"the judge {model} answered with more than {LARGEST} bytes")
    return bytes(body)


def _decision(call: Call, question: Question, spending: _Spending, began: float, started: float) -> Decision:
    now = perf_counter()
    return Decision(
        policy=call.policy,
        version=call.version,
        mode=call.mode,
        hook="ask",
        block=question.model[:200],
        action="ask_failed" if spending.failure else "asked",
        reason=f"{spending.failure}; {spending}" if spending.failure else str(spending),
        at=(started - began) * 1000,
        ms=(now - started) * 1000,
        evidence=spending.evidence,
    )
