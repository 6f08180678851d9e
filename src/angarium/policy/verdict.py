"""What a handler of a hook says when it is done. What becomes of the mail stands elsewhere: in
the reply of the session, see `policy/context`, and in what was changed.
"""

import enum


class Verdict(enum.Enum):
    """Numbers as Momentum's scripts know them."""

    CONT = 0  # ask the next handler
    AGAIN = 1  # ask me again, a little later
    DONE = 2  # decided; ask no further handler


CONT, AGAIN, DONE = Verdict
