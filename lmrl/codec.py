"""Text to token ids and back. Texts are encoded apart, so a merge never crosses from one speaker to the other."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers


class Spelling(NamedTuple):
    """Something that a model reads otherwise than it is written, and that is written back when the model says it."""

    written: str
    read: str
    """What nobody would write."""
    before: str
    """A regular expression of what must follow."""


def phrase_tokenizer(phrases: Iterable[str], spelling: Sequence[Spelling] = ()) -> Tokenizer:
    """A tokenizer made for one task: each phrase is a token, and whatever else is said is spelt in bytes.

    Where phrases overlap, the one that begins first wins, and of these the longest. They are of the text as it is read.

    >>> phrase_tokenizer(["move left\\n"]).encode("move left\\nup").ids
    [256, 84, 79]
    >>> phrase_tokenizer(["_ _ "], [Spelling("2 ", "_ _ ", "end")]).encode("2 end 2 ").ids[:2]
    [256, 68]
    """
    alphabet = {char: i for i, char in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    if spelling:
        reads = [normalizers.Replace(Regex(f"{re.escape(s.written)}(?={s.before})"), s.read) for s in spelling]
        writes = [decoders.Replace(s.read, s.written) for s in spelling]
        tokenizer.normalizer = normalizers.Sequence(reads)
        tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Fuse(), *writes])
    tokenizer.add_tokens([AddedToken(phrase, normalized=bool(spelling)) for phrase in dict.fromkeys(phrases)])
    return tokenizer


class Codec:
    """A tokenizer as the platform uses it: no special tokens, and an action ends at its first newline."""

    def __init__(self, tokenizer: Tokenizer, *, rows: int | None = None) -> None:
        """`rows`: of the model's embedding. Ids that either side lacks are never spoken nor counted in a softmax."""
        self._tokenizer = tokenizer
        known = tokenizer.get_vocab_size(with_added_tokens=True)
        self.size = min(known, known if rows is None else rows)
        self.stops = frozenset(i for i in range(self.size) if "\n" in tokenizer.decode([i], skip_special_tokens=False))
        self._cache: dict[str, tuple[int, ...]] = {}
        self._said: dict[tuple[int, ...], str] = {}
        if not self.stops:
            raise ValueError("no token of this tokenizer holds a newline, so no action could ever end")

    def encode(self, text: str) -> tuple[int, ...]:
        """The ids of a text. Texts repeat in games, so the last hundred thousand are remembered."""
        ids = self._cache.get(text)
        if ids is None:
            if len(self._cache) > 100_000:
                self._cache.clear()
            ids = tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)
            if ids and max(ids) >= self.size:
                raise ValueError(f"{text!r} holds token {max(ids)}, but the model knows {self.size}")
            self._cache[text] = ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids; bytes that are no UTF-8 become U+FFFD."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))

    def action(self, ids: Sequence[int]) -> str:
        """What an environment hears: the text up to its first newline, closed by exactly one (LMRL-Gym's rule)."""
        text = self._said.get(tuple(ids))
        if text is None:
            if len(self._said) > 100_000:
                self._said.clear()
            text = self._said[tuple(ids)] = self.decode(ids).split("\n", 1)[0] + "\n"
        return text

    def to_json(self) -> str:
        """The tokenizer as text, for a checkpoint."""
        return str(self._tokenizer.to_str())

    @staticmethod
    def from_json(text: str, rows: int | None = None) -> "Codec":
        """Read back `to_json`."""
        return Codec(Tokenizer.from_str(text), rows=rows)
