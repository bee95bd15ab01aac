"""A client of OpenAI-compatible endpoints: many requests at once, each within limits, none paid for twice.

    endpoint = Endpoint(model="gpt-4o-mini", base_url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY", …)
    endpoint.complete([Request(messages=(Message("user", "Is a cat an animal?"),), max_tokens=4)])  # ["Yes."]

The official client sends; here is what it leaves open: a limit on the whole time of an attempt (its own begins again
with every byte, and some servers send blanks while they think), replies that are no completions, a cap on tokens, a
cache. The key is read from the environment where it is used, and stands in no object, text or file of ours.
"""

import asyncio
import hashlib
import importlib.util
import json
import os
import weakref
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from lmrl.dialogue import heard
from lmrl.kinds import Count, Natural, Positive
from lmrl.speakers.completion import (
    PASSING,
    EndpointError,
    Meter,
    Passing,
    Request,
    complaint,
    cost,
    cut,
    estimate,
    pause,
    read_completion,
    seconds,
)
from lmrl.speakers.replies import Replies

if TYPE_CHECKING:
    from openai import AsyncOpenAI

T = TypeVar("T")

QUOTED = 300
"""Characters of what a server said that an error quotes."""


class Endpoint:
    """One model at one address. Pickles and forks well; a Ctrl-C drops what is under way and ends at once."""

    def __init__(
        self,
        *,
        model: str,
        base_url: str,
        key_variable: str | None,
        concurrency: Count,
        timeout_s: Positive,
        retries: Natural,
        max_tokens_total: Count | None,
        cache: str | None,
        extra: Mapping[str, Any],
    ) -> None:
        """See `conf/simulator/openai.yaml`. Raises ValueError where something that each request needs is missing."""
        self.model, self.host, self.extra = model, _host(base_url), dict(extra)
        self._base_url, self._key_variable = base_url, key_variable
        self._concurrency, self._timeout_s, self._retries = concurrency, timeout_s, retries
        self.meter = Meter(max_tokens_total)
        self._replies = Replies(Path(cache)) if cache else None
        self._live: dict[int, _Line] = {}  # by process: neither a thread nor a connection passes a fork
        if importlib.util.find_spec("openai") is None:
            raise ValueError("the package openai is not installed: pip install 'lmrl[openai]'")
        _key(key_variable)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r} at {self.host})"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_live": {}}

    def complete(self, requests: Sequence[Request]) -> list[str]:
        """What the model says to each, `concurrency` of them at a time; equal requests are sent once.

        Raises EndpointError if one cannot be answered. What was answered until then is in the cache.
        """
        wanted = [self._body(request) for request in requests]
        keys = [self._digest(body, request) for body, request in zip(wanted, requests, strict=True)]
        known = {key: self._replies.get(key) for key in keys} if self._replies else dict.fromkeys(keys)
        missing = {key: body for key, body in zip(keys, wanted, strict=True) if known[key] is None}
        said = self._line().run(self._answers(missing)) if missing else {}
        texts = [said[key] if key in said else str(known[key]) for key in keys]
        return [cut(text, request.stop) for text, request in zip(texts, requests, strict=True)]

    def _body(self, request: Request) -> dict[str, Any]:
        """What is sent, as far as it depends on the request."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": m.role, "content": _sendable(m.content)} for m in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed % 2**31 if request.temperature else None,  # more bits are not taken everywhere
            "stop": list(request.stop) or None,
        }
        return {name: value for name, value in (body | self.extra).items() if value is not None}

    def _digest(self, body: Mapping[str, Any], request: Request) -> str:
        """A request's name in the cache; its seed counts even where it is not sent."""
        seed = request.seed if request.temperature else None
        return hashlib.sha256(json.dumps([self._base_url, body, seed], sort_keys=True).encode()).hexdigest()

    def _line(self) -> "_Line":
        here = os.getpid()
        if here not in self._live:
            self._live = {here: _Line(self._base_url, _key(self._key_variable))}
        return self._live[here]

    async def _answers(self, bodies: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """All answers by their keys. After an error nothing more is sent, but what is under way is waited for."""
        said: dict[str, str] = {}
        errors: list[Exception] = []
        rest = iter(bodies.items())

        async def work() -> None:
            for key, body in rest:  # each takes the next one that nobody has taken
                if errors:
                    return
                try:
                    said[key] = await self._answer(body, errors)
                    if self._replies:
                        self._replies.put(key, said[key])
                except Exception as error:
                    errors.append(error)

        await asyncio.gather(*(work() for _ in range(min(self._concurrency, len(bodies)))))
        if errors:
            raise errors[0]
        return said

    async def _answer(self, body: Mapping[str, Any], errors: Sequence[Exception]) -> str:
        """One answer, after as many attempts as it takes. Raises EndpointError."""
        attempt = 0
        while True:
            try:
                return await self._attempt(body)
            except Passing as failure:
                reason, after = str(failure), failure.after
            if attempt == self._retries or errors:
                times = f"{attempt + 1} attempt{'s' * (attempt > 0)} (retries = {self._retries})"
                raise EndpointError(f"{self!r} gives no answer in {times}: {reason}")
            await asyncio.sleep(pause(attempt, after))
            attempt += 1

    async def _attempt(self, body: Mapping[str, Any]) -> str:
        """Send it once. Raises Passing for what may pass, EndpointError for the rest; neither holds another error."""
        promised = estimate(body)
        self.meter.promise(promised)
        spent, text = 0, None
        try:
            async with asyncio.timeout(self._timeout_s):
                text = self._public(await self._line().send(body))
            spent = cost(text, body)
        except TimeoutError:
            spent = promised  # it may have been answered, too late
            trouble: Exception = Passing(f"nothing within timeout_s = {self._timeout_s:g}")
        except Exception as error:
            trouble = self._trouble(error)
        finally:
            self.meter.settle(promised, spent)
        if text is None:
            raise trouble  # out here: an error of the client's, which holds the request, is no part of ours
        return self._public(read_completion(text, body))

    def _trouble(self, error: Exception) -> Exception:
        """What the client's exception comes to."""
        from openai import APIConnectionError, APIStatusError

        if isinstance(error, APIStatusError):
            reply = error.response
            told = f"{error.status_code} {reply.reason_phrase}: {self._quoted(complaint(error.body, reply.text))}"
            if error.status_code in PASSING or error.status_code >= 500:
                return Passing(told, seconds(reply.headers.get("retry-after")))
            hint = f"; is {self._key_variable} right?" if error.status_code == 401 and self._key_variable else ""
            return EndpointError(f"{self!r} refuses: {told}{hint}")
        told = f"{type(error).__name__}: {self._quoted(str(error.__cause__ or error))}"
        return Passing(told) if isinstance(error, APIConnectionError) else EndpointError(f"{self!r}: {told}")

    def _quoted(self, text: str) -> str:
        return heard(self._public(text), QUOTED)

    def _public(self, text: str) -> str:
        """What a server said, without the key, should it quote that."""
        return text.replace(_key(self._key_variable), "***") if self._key_variable else text


class _Line:
    """A client in an event loop in a thread, which end with this object or with the interpreter."""

    def __init__(self, base_url: str, key: str) -> None:
        from openai import AsyncOpenAI

        self._client = AsyncOpenAI(base_url=base_url, api_key=key, timeout=None, max_retries=0)
        self._loop = asyncio.new_event_loop()
        Thread(target=_serve, args=(self._loop, self._client), daemon=True, name="endpoint").start()
        weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it over there. Raises what it raises; an interrupt cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(_others_end(), self._loop).result(1.0)
            raise

    async def send(self, body: Mapping[str, Any]) -> str:
        """The body of the reply, whatever it is. Raises the client's errors."""
        rest = {name: value for name, value in body.items() if name not in ("model", "messages")}
        create = self._client.chat.completions.with_raw_response.create
        raw = await create(model=body["model"], messages=body["messages"], extra_body=rest)
        return raw.text


async def _others_end() -> None:
    """Wait for what was cancelled: a task that the interpreter's end finds under way complains."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)


def _serve(loop: asyncio.AbstractEventLoop, client: "AsyncOpenAI") -> None:
    loop.run_forever()
    loop.run_until_complete(client.close())
    loop.close()


def _host(base_url: str) -> str:
    """Host and port of an address. Raises ValueError if it is none, or holds a password."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.username is not None or parts.password is not None:
        raise ValueError("base_url: no name and no password, please: key_variable names what holds the key")
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"base_url = {base_url!r}: an address such as https://api.openai.com/v1")
    return f"{host}:{port}" if port else host


def _key(variable: str | None) -> str:
    """The key. Raises ValueError, which does not hold it."""
    if variable is None:
        return "none"
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ValueError(f"key_variable = {variable}: set this environment variable to your key (null: none is needed)")
    if not (key.isascii() and key.isprintable()):
        raise ValueError(f"key_variable = {variable}: this environment variable holds no key, but other characters")
    return key


def _sendable(text: str) -> str:
    """Without lone surrogates, which cannot be sent."""
    return text.encode("utf-8", "replace").decode()
