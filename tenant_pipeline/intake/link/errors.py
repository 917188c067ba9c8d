"""Why a link is not taken in."""

from __future__ import annotations

from tenant_pipeline.core.errors import InputError


class LinkError(InputError):
    """A link cannot be taken in: its address, its size, its time or its answer."""

    code = "link-refused"

    def __init__(self, what: str, *, remedy: str) -> None:
        super().__init__(what, where="link", remedy=remedy)


class NotPublicError(LinkError):
    """The link leads, directly or by a redirect, to an address or port that is not open to links."""

    code = "link-not-public"

    def __init__(self, what: str = "The link leads to an address that is not public") -> None:
        super().__init__(what, remedy="Download the document inside that network and hand in the file.")


class TooLargeError(LinkError):
    """More bytes or pages came than the policy allows."""

    code = "link-too-large"


class TooSlowError(LinkError):
    """The fetch took longer than the policy allows."""

    code = "link-too-slow"

    def __init__(self) -> None:
        super().__init__("The link took too long", remedy="Download the document and hand in the file.")


class LengthError(LinkError):
    """The answer is not as long as the server declared."""

    code = "link-wrong-length"

    def __init__(self) -> None:
        super().__init__(
            "The answer is not as long as the server declared",
            remedy="Download the document, see that it is whole, and hand in the file.",
        )


class RobotsError(LinkError):
    """The site's robots.txt keeps us out, or cannot be read."""

    code = "link-robots"


class PageLoopError(LinkError):
    """The pages of an answer lead back to one that was read already."""

    code = "link-page-loop"

    def __init__(self) -> None:
        super().__init__(
            "The pages behind the link go round in a circle", remedy="Download the data and hand in the files."
        )


class PassingError(LinkError):
    """A fault that may pass: a failed or broken connection, a busy server. `retry_after` is the server's own wish."""

    code = "link-unreachable"

    def __init__(self, what: str, *, retry_after: float | None = None) -> None:
        super().__init__(what, remedy="Check the address, and try again later.")
        self.retry_after = retry_after
