"""What went wrong, in a line."""


def first_line(error: Exception) -> str:
    """The first line of an error's text, or its type where it has none.

    >>> first_line(OSError("no room\\nat line 3")), first_line(EOFError())
    ('no room', 'EOFError')
    """
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def in_a_line(error: BaseException) -> str:
    """All of an error's text.

    >>> in_a_line(OSError("no room\\n  at line 3"))
    'no room at line 3'
    """
    return " ".join(str(error).split())
