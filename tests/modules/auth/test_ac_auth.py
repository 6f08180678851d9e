"""ac_auth: policy decides, in Python and in Lua, and what it does not decide is no yes."""

from pathlib import Path
from typing import Any

import pytest

from angarium.core.reply import Reply
from angarium.inbound.authenticators import Visit
from angarium.inbound.errors import AnsweredError, TroubleError
from angarium.modules.auth.ac_auth import AcAuth
from angarium.policy.context import Session
from angarium.policy.hooks import AuthFailure, Hook, PerformAuth
from angarium.policy.verdict import CONT, DONE, Verdict
from angarium.wire.sasl.exchange import Claim
from helpers.guards import Place, session


class Policy:
    """Answers as it is told to."""

    def __init__(self, known: bool | None = False, response: str = "") -> None:
        self.known, self.response = known, response
        self.reply: Reply | None = None
        self.heard: list[Hook] = []

    async def ask(self, hook: Hook) -> Verdict:
        self.heard.append(hook)
        if isinstance(hook, PerformAuth):
            hook.known, hook.response = self.known, self.response
            if self.reply is not None:
                hook.session.refuse(self.reply)
            return DONE
        return CONT


async def asked(folder: Path, policy: Policy, who: Session | None = None) -> Any:
    module = Place(folder, "ac_auth { }").module(AcAuth)
    visit = Visit(session=who or session(), ask=policy.ask)
    found = module.schemes["ac_auth"].check(Claim("PLAIN", "tim", "clear", "secret"), visit)
    return found if found is None else await found  # type: ignore[misc]


async def test_policy_says_yes(tmp_path: Path) -> None:
    policy = Policy(known=True)
    assert await asked(tmp_path, policy) == "tim"
    [event] = policy.heard
    assert isinstance(event, PerformAuth)
    assert (event.username, event.password, event.mechanism) == ("tim", "secret", "PLAIN")
    assert "secret" not in repr(event)


async def test_policy_says_no_and_hears_of_it(tmp_path: Path) -> None:
    policy = Policy(known=False)
    assert await asked(tmp_path, policy) is None
    assert isinstance(policy.heard[-1], AuthFailure)


async def test_policy_says_no_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(AnsweredError) as error:
        await asked(tmp_path, Policy(known=False, response="531 Get out of town"))
    assert str(error.value.reply) == "531 Get out of town"
    who, policy = session(), Policy(known=True)
    policy.reply = Reply(550, "no")
    with pytest.raises(AnsweredError):
        await asked(tmp_path, policy, who)
    assert who.reply is None


async def test_a_yes_in_the_words_of_a_no_is_none(tmp_path: Path) -> None:
    assert await asked(tmp_path, Policy(known=False, response="235 fine")) is None


async def test_policy_does_not_know_now(tmp_path: Path) -> None:
    with pytest.raises(TroubleError):
        await asked(tmp_path, Policy(known=None))


async def test_nobody_is_known_where_there_is_no_policy(tmp_path: Path) -> None:
    module = Place(tmp_path, "ac_auth { }").module(AcAuth)
    assert module.schemes["ac_auth"].check(Claim("PLAIN", "tim", "clear", "x"), Visit()) is None


@pytest.mark.effect("ac_auth.debug_level")
async def test_whom_policy_refuses_is_told_where_that_is_wanted(tmp_path: Path) -> None:
    for level, told in (("ERROR", 0), ("INFO", 1)):
        place = Place(tmp_path, f"ac_auth {{ debug_level = {level} }}")
        module = place.module(AcAuth)
        visit = Visit(host="192.0.2.1", session=session(), ask=Policy().ask)
        found: Any = module.schemes["ac_auth"].check(Claim("PLAIN", "tim", "clear", "x"), visit)
        assert await found is None
        assert len(place.panics) == told


@pytest.mark.effect("ac_auth.enabled")
async def test_off_it_knows_nobody(tmp_path: Path) -> None:
    place = Place(tmp_path, "ac_auth { enabled = false }")
    place.module(AcAuth)
    assert "ac_auth" not in place.policing.schemes
    place = Place(tmp_path, "ac_auth { }")
    place.module(AcAuth)
    assert "ac_auth" in place.policing.schemes
