"""Texts as words without case, accents and punctuation, and names found among them."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_LETTERS = str.maketrans("ıłøđħæœŁØĐ’‘ʼ`´", "iloahaoLOD'''''")  # what decomposing does not undo


def words(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared: without case, accents and punctuation.

    >>> words("Xi'an, São-Paulo & the U.S.A.?")
    ('xian', 'sao', 'paulo', 'the', 'usa')
    """
    return tuple(word.casefold() for word in plain_words(text))


def plain_words(text: str) -> list[str]:
    """The same with their capitals, by which LA is told from la and US from us."""
    return [bare_word(match.group()) for match in WORD.finditer(plain(text))]


def bare_word(word: str) -> str:
    """A word without apostrophes, points and a genitive's ending."""
    return _GENITIVE.sub("", word).replace("'", "").replace(".", "")


_GENITIVE = re.compile("'[sS]$")


def plain(text: str) -> str:
    """The text without accents, a character at most for each of its own."""
    if text.isascii():
        return text
    return "".join(_bare(char) for char in text)


def _bare(char: str) -> str:
    bare = unicodedata.normalize("NFKD", char.translate(_LETTERS))
    kept = [c for c in bare if not unicodedata.combining(c)]
    return kept[0] if len(kept) == 1 else " " if not char.isalnum() and kept else "" if not kept else char


WORD = re.compile(r"(?:\b[A-Za-z]\.){2,}|[^\W_]+(?:'[^\W_]+)*")
"""A word of a plain text; U.S.A. is one."""


class Gazetteer:
    """Names, found in a text as whole words: the longest first, and no word twice."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        """`names`: pairs of a name and of what it stands for; the first pair of a name counts."""
        self._labels: dict[tuple[str, ...], str] = {}
        for name, label in names:
            found = words(name)
            for key in (found, ("".join(found),)) if len(found) > 1 and len("".join(found)) > 5 else (found,):
                self._labels.setdefault(key, label)
        self._longest: dict[str, int] = {}
        for key in self._labels:
            self._longest[key[0]] = max(self._longest.get(key[0], 0), len(key))

    def spans(self, said: Sequence[str]) -> Iterator[tuple[int, int, str]]:
        """First word, word after the last, and label of each name in words with their capitals."""
        low, i = [word.casefold() for word in said], 0
        while i < len(low):
            end, label = self._at(low, said, i)
            if label is not None:
                yield i, end, label
            i = max(end, i + 1)

    def _at(self, low: Sequence[str], said: Sequence[str], i: int) -> tuple[int, str | None]:
        for length in range(min(self._longest.get(low[i], 0), len(low) - i), 0, -1):
            label = self._labels.get(tuple(low[i : i + length]))
            if label is not None and not (length == 1 and low[i] in SHOUTED and not _is_meant(said, i)):
                return i + length, label
        return i, None


def _is_meant(said: Sequence[str], i: int) -> bool:
    ends = i == len(said) - 1 and i > 0 and said[i - 1].casefold() in ("is", "it", "from", "be", "in")
    return said[i].isupper() or (ends and said[i].casefold() == "la")


SHOUTED = {"la", "us", "bh", "roc"}
"""Names that are names in capitals alone."""
