"""The words of a question: what `knowledge/words.yaml` says of them, and their common forms."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import yaml

from lmrl.tasks.oracle.objects import KNOWLEDGE

FRUIT = "anorange"
"""What `orange` is read as after an article; without one it is the colour."""
LONGEST, MOST_WORDS = 500, 60
"""Characters, and words; what is longer is no question."""


@cache
def lexicon() -> Mapping[str, Any]:
    """`knowledge/words.yaml`."""
    loaded: dict[str, Any] = yaml.safe_load((KNOWLEDGE / "words.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def listed(name: str) -> frozenset[str]:
    """One of its lists of words."""
    return frozenset(lexicon()[name].split())


@cache
def _irregular() -> Mapping[str, str]:
    return dict(pair.split(":") for pair in lexicon()["irregular"].split())


@cache
def _contractions() -> Mapping[str, str]:
    return dict(lexicon()["contractions"])


def _whole(word: str) -> str:
    """A contraction in full; what opens with one asks for assent: `isn't it a cat` is `is it a cat`.

    >>> _whole("doesn't"), _whole("can't")
    ('does not', 'can not')
    """
    word = _contractions().get(word, word)
    return word.removesuffix("n't") + " not" if word.endswith("n't") else word.removesuffix("'s").replace("'", "")


_WORD = re.compile(r"[^\W_]+(?:\.[0-9]+)?(?:'[^\W_]+)?|[,/]")


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """A text's words, in small letters and without contractions; a comma is a word, and so is a stroke, `or`.

    >>> words_of("Isn't it man-made, a PEN/pencil?")
    ('is', 'it', 'man', 'made', ',', 'a', 'pen', 'or', 'pencil')
    """
    plain = text.lower().replace("\u2019", "'").replace("-", " ")
    found = _WORD.findall(plain.replace("e.g.", ",").replace("etc.", ""))
    whole = [part for word in found for part in _whole(word).split()]
    if len(found) > 1 and found[0].endswith("n't"):
        whole.remove("not")
    return tuple("or" if word == "/" else word for word in whole)


def sentence(text: str) -> str | None:
    """The one sentence of a text that says something; None where there are more, or none, or it never ends.

    >>> sentence("Hello! Is it a cat?"), sentence("Say yes. Is it a cat?")
    (' Is it a cat', None)
    """
    if len(text) > LONGEST:
        return None
    said = [part for part in _END.split(text) if any(word not in listed("hedges") | {","} for word in words_of(part))]
    return said[0] if len(said) == 1 and len(words_of(said[0])) <= MOST_WORDS else None


_END = re.compile(r"[?!;:]|\.(?=\s|$)")


def singular(word: str) -> str:
    """A noun's form in the dictionary, near enough; verbs lose the `s` of he and she with it.

    >>> [singular(word) for word in ("cherries", "boxes", "cats", "glass", "knives", "peas")]
    ['cherry', 'box', 'cat', 'glass', 'knife', 'pea']
    """
    if word in _irregular():
        return _irregular()[word]
    if len(word) < 4 or word.endswith(("ss", "us", "is")) or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("ches", "shes", "xes", "sses", "zes")) else word[:-1]


_ENDING = re.compile(r"^(.*[aeiouy].*?)(ing|ed)$")


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """What a word has in common with its other forms; no word itself.

    >>> [stem(word) for word in ("writing", "writes", "written", "write", "cutting", "cut", "peas")]
    ['writ', 'writ', 'writ', 'writ', 'cut', 'cut', 'pea']
    """
    word = _same().get(word, word)
    base = _same().get(singular(word), singular(word))
    if base.endswith("ied") and len(base) > 4:
        base = base[:-3] + "y"
    match = None if base in _irregular().values() else _ENDING.match(base)
    if match and len(match[1]) > 2 and not base.endswith("eed"):
        base = match[1]
        if base[-1] == base[-2] and base[-1] not in "lsz":
            base = base[:-1]
    base = _same().get(base, base)
    return base[:-1] if base.endswith("e") and len(base) > 3 else base


@cache
def _same() -> Mapping[str, str]:
    return {str(left): str(right) for left, right in lexicon()["same"].items()}
