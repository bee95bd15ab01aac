"""Texts by a language model of `transformers` that was never trained here: causal or seq2seq, of the hub or a folder.

    model = TextGenerator(
        name="Qwen/Qwen2.5-7B-Instruct", chat="auto", dtype="bfloat16", device="auto", batch=64, remember=True
    )
    model.complete([Request(messages=(Message("user", "Is a cat an animal?"),), max_tokens=4)])  # ["Yes."]

A batch goes through one `generate`, likeliest and drawn answers together, each drawn by its own request's seed. So an
answer does not depend on its batch, up to the rounding of sums.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Literal

import torch
from jinja2 import TemplateError
from torch import Tensor
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)

from lmrl.errors import first_line
from lmrl.kinds import Count
from lmrl.policy import draw, uniforms
from lmrl.speakers.completion import Message, Request, cut
from lmrl.speakers.memory import Memory
from lmrl.speakers.speaking import Dtype, Loaded, device_of, identity, load

Chat = Literal["auto", "always", "never"]


class TextGenerator:
    """A language model that continues conversations. It is loaded when it is first asked."""

    def __init__(self, *, name: str, chat: Chat, dtype: Dtype, device: str, batch: Count, remember: bool) -> None:
        """See `conf/simulator/lm.yaml`. Raises ValueError if there is no such device."""
        self._name, self._chat, self._dtype, self._batch = name, chat, dtype, batch
        self._device, self._remember = device_of(device), remember
        self._memory: Memory | None = None

    def complete(self, requests: Sequence[Request]) -> list[str]:
        """What the model says to each request. Raises ValueError if the model cannot be had or takes no such prompt."""
        if not requests:
            return []
        model = load(self._name, self._dtype, self._device)
        chat = self._chats(model)
        prompts = [self._ids(model, request, chat) for request in requests]
        if self._remember and self._memory is None and Memory.possible(model):
            self._memory = Memory(model)
        said = [""] * len(requests)
        for chunk in self._chunks(requests, prompts):
            ids, asked = [prompts[i] for i in chunk], [requests[i] for i in chunk]
            texts = generate(model, ids, asked, strip=chat, memory=self._memory)
            for i, text in zip(chunk, texts, strict=True):
                said[i] = text
        return said

    def _chunks(self, requests: Sequence[Request], prompts: Sequence[list[int]]) -> Iterator[list[int]]:
        """The requests that go together: as long answers, and prompts as long as can be, which wastes no padding."""
        order = sorted(range(len(requests)), key=lambda i: (requests[i].max_tokens, len(prompts[i])))
        for _, group in groupby(order, key=lambda i: requests[i].max_tokens):
            alike = list(group)
            yield from (alike[first : first + self._batch] for first in range(0, len(alike), self._batch))

    def identity(self) -> str:
        """What tells this model from others: its name, which weights, and how it is asked."""
        ways = [f"chat={self._chat}"] * (self._chat != "auto") + [self._dtype] * (self._dtype != "float32")
        return " ".join([identity(self._name), *ways])

    def _chats(self, model: Loaded) -> bool:
        has = bool(getattr(model.tokenizer, "chat_template", None))
        if self._chat == "always" and not has:
            raise ValueError(f"chat = always: {self._name} has no chat template; chat=auto does without")
        return has and self._chat != "never"

    def _ids(self, model: Loaded, request: Request, chat: bool) -> list[int]:
        """The prompt's last tokens, as many as the model has room for."""
        messages = [Message(m.role, _plain(m.content, model.special)) for m in request.messages]
        try:
            text = _templated(model.tokenizer, messages) if chat else _joined(messages)
        except TemplateError as error:
            told = f"its chat template refuses the conversation ({first_line(error)}); chat=never does without it"
            raise ValueError(f"name = {self._name}: {told}") from error
        ids: list[int] = model.tokenizer(text, add_special_tokens=not chat)["input_ids"]
        return ids[-model.room(request.max_tokens)[0] :] or [model.fill]


@torch.inference_mode()
def generate(
    model: Loaded,
    prompts: Sequence[list[int]],
    requests: Sequence[Request],
    *,
    strip: bool,
    memory: Memory | None = None,
) -> list[str]:
    """Continue all prompts at once; `strip` drops blanks before an answer, where chat models put some.

    An answer ends at a token that ends texts, before the first of its request's stops, or after `max_tokens`, which
    all requests share. What a memory knows of a prompt is not read again.
    """
    seq2seq, device = model.reads_apart, model.lm.device
    with torch.autocast(device.type, enabled=False):  # the same answers whatever the precision of a training around it
        past, known = memory.recall(prompts) if memory else (None, [0] * len(prompts))
        ids_RT, mask_RT = _laid_out(prompts, known, model.fill, left=not seq2seq)
        begin = 1 if seq2seq else ids_RT.shape[1]
        answers = _Answers(model, requests, begin, strip)
        speak: Any = model.lm.generate
        out_RT: Tensor = speak(
            input_ids=ids_RT.to(device),
            attention_mask=mask_RT.to(device),
            max_new_tokens=model.room(requests[0].max_tokens)[1],
            logits_processor=LogitsProcessorList([_Chosen(requests, begin, len(model.tokenizer))]),
            stopping_criteria=StoppingCriteriaList([answers]),
            past_key_values=past,
        )
    if memory and past is not None:
        memory.keep(past, out_RT, torch.cat([mask_RT, torch.ones(len(prompts), out_RT.shape[1] - begin)], 1))
    return [text for text, _ in answers.read(out_RT)]


class _Chosen(LogitsProcessor):
    """Leaves each row one token to choose: the likeliest, or one drawn by its request's seed and the token's place."""

    def __init__(self, requests: Sequence[Request], begin: int, size: int) -> None:
        self._begin, self._size = begin, size
        self._hot = [i for i, request in enumerate(requests) if request.temperature > 0]
        self._seeds = [requests[i].seed for i in self._hot]
        self._temperature_R1 = torch.tensor([[requests[i].temperature] for i in self._hot], dtype=torch.float64)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        scores_RV = scores[:, : self._size]  # rows beyond are padding, which no token means
        chosen_R = scores_RV.argmax(-1)
        if self._hot:
            uniform_R = uniforms(self._seeds, [0] * len(self._hot), input_ids.shape[1] - self._begin)
            chosen_R[self._hot] = draw(scores_RV[self._hot] / self._temperature_R1.to(scores.device), uniform_R)
        return torch.full_like(scores, -torch.inf).scatter_(1, chosen_R[:, None], 0.0)


class _Answers(StoppingCriteria):
    """Which rows have said all that they say, and what that is."""

    def __init__(self, model: Loaded, requests: Sequence[Request], begin: int, strip: bool) -> None:
        self._model, self._requests, self._begin, self._strip = model, requests, begin, strip

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        return torch.tensor([over for _, over in self.read(input_ids)], device=input_ids.device)

    def read(self, ids_RT: Tensor) -> list[tuple[str, bool]]:
        """Each row's answer so far, and whether the row has ended it."""
        new = ids_RT[:, self._begin :].tolist()
        rows = [_before(ids, self._model.ends) for ids in new]
        texts = self._model.tokenizer.batch_decode(rows, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        answers = []
        for ids, row, text, request in zip(new, rows, texts, self._requests, strict=True):
            said = text.lstrip() if self._strip else text
            answers.append((cut(said, request.stop), len(row) < len(ids) or cut(said, request.stop) != said))
        return answers


def _before(ids: list[int], ends: frozenset[int]) -> list[int]:
    return ids[: next((place for place, i in enumerate(ids) if i in ends), len(ids))]


def _laid_out(prompts: Sequence[list[int]], known: Sequence[int], fill: int, *, left: bool) -> tuple[Tensor, Tensor]:
    """The prompts as one tensor, what is known of each before what is new, and a mask of what is real."""
    old = _padded([ids[:num] for ids, num in zip(prompts, known, strict=True)], fill, left=left)
    new = _padded([ids[num:] for ids, num in zip(prompts, known, strict=True)], fill, left=left)
    return torch.cat([old[0], new[0]], 1), torch.cat([old[1], new[1]], 1)


def _padded(rows: Sequence[Sequence[int]], fill: int, *, left: bool) -> tuple[Tensor, Tensor]:
    """Rows of ids as one tensor, and a mask of what is real. Positions of a causal model count from the mask."""
    width = max(map(len, rows))
    ids_RT = torch.full((len(rows), width), fill)
    mask_RT = torch.zeros(len(rows), width, dtype=torch.long)
    for row, ids in enumerate(rows):
        place = slice(width - len(ids), width) if left else slice(len(ids))
        ids_RT[row, place], mask_RT[row, place] = torch.tensor(ids), 1
    return ids_RT, mask_RT


def _plain(text: str, special: Sequence[str]) -> str:
    """The text without what would be read as a special token, and without lone surrogates."""
    for token in special:
        text = text.replace(token, " ")  # a blank: what stands around it must not become another
    return text.encode("utf-8", "replace").decode()


def _joined(messages: Sequence[Message]) -> str:
    r"""The prompt of a model that knows no roles: the texts, each but the last a line at least.

    >>> _joined([Message("system", "Guess."), Message("user", "Start\n"), Message("assistant", "Hello")])
    'Guess.\nStart\nHello'
    """
    *before, last = [message.content for message in messages]
    return "".join(text if text.endswith("\n") else f"{text}\n" for text in before) + last


def _templated(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    """The conversation as the model was taught it; what the system says joins the user's first words if need be."""
    try:
        return _apply(tokenizer, messages)
    except TemplateError:
        if len(messages) < 2 or (messages[0].role, messages[1].role) != ("system", "user"):
            raise
        first = Message("user", f"{messages[0].content}\n\n{messages[1].content}")
        return _apply(tokenizer, [first, *messages[2:]])


def _apply(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    turns = [{"role": m.role, "content": m.content} for m in messages]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert isinstance(text, str)
    return text
