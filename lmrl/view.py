"""How much of an episode is seen at once, by the model in training and the policy at play."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """How much of an episode a policy sees at once; the same rule cuts training windows and what is played on.

    The text that is seen grows until it would hold more than `context` texts (None: no such limit) or leave no room
    for an action; then it drops to half of that. So its beginning moves once in many turns, and a key/value cache
    lives on in between.
    """

    context: int | None
    positions: int
    """Tokens that the model can hold."""
    max_new_tokens: int
    """Tokens that are kept free for an action."""

    @property
    def max_tokens(self) -> int:
        """Tokens that may stand before an action."""
        return self.positions - self.max_new_tokens

    def begin(self, lengths: Sequence[int], start: int) -> int:
        """Where the text seen before the next action begins.

        lengths: tokens of every turn so far, the last one an observation; start: where it began one action ago.
        """
        num = len(lengths)
        if (self.context is None or num - start <= self.context) and sum(lengths[start:]) <= self.max_tokens:
            return start
        most = num if self.context is None else max(1, self.context // 2)
        begin = num - 1  # the last observation is always seen
        while begin >= 2 and num - begin + 2 <= most and sum(lengths[begin - 2 :]) <= self.max_tokens // 2:
            begin -= 2  # an observation and the action after it
        if begin == num - 1 and lengths[begin] > self.max_tokens:
            raise ValueError(
                f"an observation of {lengths[begin]} tokens: beside an action of {self.max_new_tokens} (max_new_tokens)"
                f" a model of {self.positions} positions has room for {self.max_tokens}; it needs more positions"
            )
        return begin
