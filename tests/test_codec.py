"""Text to tokens and back."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.letters import CODEC


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30))
def test_any_text_survives_its_tokens(text: str) -> None:
    assert CODEC.decode(CODEC.encode(text)) == text


def test_an_action_ends_at_its_first_newline_and_has_exactly_one() -> None:
    assert CODEC.action(CODEC.encode("ab\ncd\n")) == "ab\n"
    assert CODEC.action(CODEC.encode("ab")) == "ab\n"
