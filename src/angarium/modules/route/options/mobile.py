"""Options of the channels which are no mail: texts, pictures and pushes to telephones.

The manuals say of most of their options no more than a name, so others may stand in them.
"""

from typing import Final

from angarium.config.scope import Naming, Standing
from angarium.modules.options import Logger, Module, needless

ONLY_MAIL: Final = "This server sends and takes mail only."


def no_channel(loss: str) -> Standing:
    return needless(ONLY_MAIL, loss)


class Apn(
    Module,
    stanza="apn",
    free=True,
    direction="sending",
    standing=no_channel("nothing is pushed to Apple's telephones"),
):
    """Pushes to Apple's telephones."""


class ApnLogger(
    Logger, stanza="apn_logger", naming=Naming.MAYBE, free=True, standing=needless(ONLY_MAIL)
):
    """Logs the pushes of `apn`."""


class Gcm(
    Module,
    stanza="gcm",
    free=True,
    direction="sending",
    standing=no_channel("nothing is pushed to Google's telephones"),
):
    """Pushes to Google's telephones."""


class GcmLogger(
    Logger, stanza="gcm_logger", naming=Naming.MAYBE, free=True, standing=needless(ONLY_MAIL)
):
    """Logs the pushes of `gcm`."""


class Mm7(
    Module,
    stanza="mm7",
    free=True,
    direction="sending",
    standing=no_channel("nothing is sent by MM7"),
):
    """Sends pictures and sound to telephones."""


class Mm7Server(
    Module,
    stanza="mm7_serv",
    free=True,
    direction="receiving",
    standing=no_channel("nothing is taken by MM7"),
):
    """Takes pictures and sound from telephones."""


class MmsLogger(
    Logger, stanza="mms_logger", naming=Naming.MAYBE, free=True, standing=needless(ONLY_MAIL)
):
    """Logs what is sent by `mm7`."""


class MmsBounceLogger(
    Logger, stanza="mms_bounce_logger", naming=Naming.MAYBE, free=True, standing=needless(ONLY_MAIL)
):
    """Logs what failed by `mm7`."""


class Smpp(
    Module,
    stanza="smpp",
    free=True,
    direction="both",
    standing=no_channel("no text is sent or taken by SMPP"),
):
    """Sends and takes texts of telephones."""


class SmppLogger(
    Logger, stanza="smpp_logger", naming=Naming.MAYBE, free=True, standing=needless(ONLY_MAIL)
):
    """Logs the texts of `smpp`."""


class SmppBounceLogger(
    Logger,
    stanza="smpp_bounce_logger",
    naming=Naming.MAYBE,
    free=True,
    standing=needless(ONLY_MAIL),
):
    """Logs the texts which failed."""
