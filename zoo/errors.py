"""The one exception that means: the user asked for something that cannot be had.

Every other exception that leaves ``zoo`` is a bug and shows its traceback.
"""


class UserError(ValueError):
    """Bad input, explained in one sentence: what came, what is allowed, what to do next.

    The command line prints the sentence and exits with code 2. It is a ``ValueError`` so that
    Python callers need not know this class.
    """
