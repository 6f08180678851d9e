"""The policies which Momentum's makers have published do here what they say.

They are others' work and not in this repository: where ANGARIUM_CORPORA names a folder with them
(github.com/SparkPost/momentum_sample_policy) our transcripts are played on them.
"""

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

from angarium.core.errors import Error
from angarium.modules.lua.runtime import State
from angarium.modules.lua.services import Services
from angarium.run.stage.play import play
from angarium.run.stage.transcript import parse
from helpers.clock import FakeClock

SAMPLES: Final = Path(os.environ.get("ANGARIUM_CORPORA", "/nonexistent")) / "momentum_sample_policy"
TRANSCRIPTS: Final = Path(__file__).parent / "sample_policies"
# Those which are no Lua: sentences stand in them which are no comments.
NO_LUA: Final = {"dkim_sign.lua": 11, "log_reason_form_perm_fail.lua": 15}
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="ANGARIUM_CORPORA names no folder with momentum_sample_policy"
)


# Files which a sample wants at fixed places, and what our transcript needs in them.
LISTS: Final = {
    "/var/tmp/good_guys.txt": "192.0.2.9 :127.0.0.2:good\n",
    "/opt/msys/ecelerity/etc/rbl.txt": "192.0.2.66 :127.0.0.2:bad\n",
}


def training(folder: Path) -> Path:
    """Return a copy of the sample which looks for its lists in a folder."""
    copied = folder / "training"
    shutil.copytree(SAMPLES / "training-policy" / "src", copied)
    for place, text in LISTS.items():
        (folder / Path(place).name).write_text(text)
    for path in copied.rglob("*.lua"):
        text = path.read_text("utf-8")
        for place in LISTS:
            text = text.replace(place, str(folder / Path(place).name))
        path.write_text(text)
        path.chmod(0o644)
    return copied


@pytest.mark.parametrize("path", sorted(TRANSCRIPTS.glob("*.test")), ids=lambda path: path.stem)
def test_a_sample_does_what_it_says(path: Path, tmp_path: Path) -> None:
    text = path.read_text("utf-8").replace("$SAMPLES", str(SAMPLES))
    if "$TRAINING" in text:
        text = text.replace("$TRAINING", str(training(tmp_path)))
    outcome = play(parse(text, path))
    assert outcome.held, f"{path.name}:{outcome.line}: {outcome.why} {outcome.panics}"


def test_each_sample_is_lua_or_known_not_to_be() -> None:
    state = State(Services(FakeClock()))
    faulty: dict[str, int] = {}
    for path in sorted(SAMPLES.rglob("*.lua")):
        try:
            state.load(path.read_bytes(), path.name)
        except Error as error:
            faulty[path.name] = int(error.message.split(":")[1])
    assert faulty == NO_LUA
