"""Options of the configuration itself: where changes made while running go, what is remembered."""

from angarium.config.kinds import Bool, Int, Path, Size
from angarium.config.option import OURS, Options, option
from angarium.config.scope import Scope


class Changes(Options):
    """Where changes made while running go, and how many configurations are kept."""

    local_changes_file = option(
        Path(),
        "/opt/msys/ecelerity/etc/local_changes.conf",
        scopes=Scope.GLOBAL,
        doc="""
        A file which is read after all others, if it exists. Once the main file names one, stanzas
        which are new are written there. It may be none that is included.
        """,
    )
    local_changes_only = option(
        Bool(),
        False,
        scopes=Scope.GLOBAL,
        doc="Write all changes made while running to local_changes_file, none in place.",
    )
    config_history = option(
        Int(minimum=1),
        100,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="How many of the configurations that were in force are kept, for `config rollback`.",
    )
    config_history_size = option(
        Size(minimum=1),
        256 * 1024 * 1024,
        scopes=Scope.GLOBAL,
        since=OURS,
        doc="How much disk they may take; the newest one is kept in any case.",
    )
