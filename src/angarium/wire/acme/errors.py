"""What can go wrong with an authority."""

from angarium.core.errors import Error


class AcmeError(Error):
    """There is no certificate to be had now.

    Attributes:
        kind: the last word of the type of its problem document, such as `rateLimited`.
        wait: seconds after which the authority wants to be asked again; 0: it does not say.
    """

    def __init__(self, message: str, kind: str = "", wait: float = 0.0, **fields: object) -> None:
        super().__init__(message, **fields)
        self.kind = kind
        self.wait = wait
