"""Why something that was sent is not taken. The texts are for people and repeat no value that may be a secret."""


class RefusedError(ValueError):
    """It cannot be what was meant: the text names the place, what was expected and what to do."""


class ConflictError(RefusedError):
    """It contradicts what is known already."""


class UnavailableError(Exception):
    """It could not be taken or answered now; the same again, a little later, may be."""


class UnknownError(RefusedError):
    """It speaks of something that is not known."""
