"""Options of links and images by which is known who opened a message and clicked in it."""

from angarium.config.kinds import Bool, Choice, Duration, Place
from angarium.config.option import Options, planned
from angarium.config.places import HostPort
from angarium.config.scope import SESSION

NO_TRACKING = "Links and images of messages are left as they are."

SCHEMES = Choice(("http", "https"))


class Tracking(Options, direction="receiving"):
    """What becomes of links and of the end of HTML in mail taken in by SMTP."""

    click_tracking_enabled = planned(
        Bool(),
        False,
        scopes=SESSION,
        since="4.1-HF4",
        reason=NO_TRACKING,
        doc="""
        Whether links in HTML lead by way of us, so that each click is an event. The field
        X-MSYS-API of a message may say otherwise.
        """,
    )
    click_tracking_scheme = planned(
        SCHEMES,
        "http",
        scopes=SESSION,
        since="4.1-HF4",
        reason=NO_TRACKING,
        doc="Whether these links begin with http or https.",
    )
    open_tracking_enabled = planned(
        Bool(),
        False,
        scopes=SESSION,
        since="4.1-HF4",
        reason=NO_TRACKING,
        doc="""
        Whether an image which nobody sees is added to HTML, so that each look at it is an event.
        The field X-MSYS-API of a message may say otherwise.
        """,
    )
    open_tracking_scheme = planned(
        SCHEMES,
        "http",
        scopes=SESSION,
        since="4.1-HF4",
        reason=NO_TRACKING,
        doc="Whether the address of the image begins with http or https.",
    )
    tracking_domain = planned(
        HostPort(),
        Place("localhost", 8080),
        scopes=SESSION,
        since="4.1-HF4",
        example="click.example.com",
        reason=NO_TRACKING,
        doc="""
        Host of these links and images, with :port or without: a name of yours which leads to a
        listener for HTTP.
        """,
    )
    tracking_link_expiry = planned(
        Duration(),
        31536000.0,
        scopes=SESSION,
        since="4.1-HF4",
        reason=NO_TRACKING,
        doc="How long after the message was taken in a link still leads anywhere.",
    )
