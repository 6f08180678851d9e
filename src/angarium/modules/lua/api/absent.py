"""Functions of engines which are not there: they exist, and say what is missing.

A script which asks for one of them fails at that line, as it would with the module missing; what
it would do with a wrong answer, nobody knows.
"""

from collections.abc import Callable, Mapping
from typing import Final

from angarium.modules.lua.bind import LuaError, lua, lua_constants

# What is missing, and which functions need it.
MISSING: Final[Mapping[str, str]] = {
    "the module antivirus (clamav, csapi)": "msys.av.scan msys.av.scan_part",
    "the module brightmail": "msys.brightmail.scan",
    "the module cloudmark": (
        "msys.cloudmark.add_af_data msys.cloudmark.analyze msys.cloudmark.score"
        " msys.cloudmark.score_af msys.cloudmark.set_af_mode_discard"
        " msys.cloudmark.set_af_mode_keep msys.cloudmark.set_af_mode_movemsg"
        " msys.cloudmark.set_af_msi_address"
    ),
    "the module commtouch": "msys.commtouch.diagnose",
    "the module eleven": "msys.expurgate.scan",
    "the module beik": "msys.symantec_beik.scan",
    "the module spamassassin": "msys.spamc.spamc_scan",
    "the module dkim2": (
        "msys.validate.dkim2.ar_clauses msys.validate.dkim2.sign msys.validate.dkim2.verify"
    ),
    "the module adaptive": "msys.adaptive.registerRules",
    "the module mstore": "msys.mstore.load",
    "Sieve": "msys.runSieveScript",
    "SMPP": "msys.smpp.smpp_get_message_id_from_pdu",
    "delivery by HTTP": (
        "msys.delivery.ob_get_current_message msys.http_lua.registerModule"
        " msys.httpclnt.http_request_add_header msys.httpclnt.http_request_delete_header"
        " msys.httpclnt.http_request_finalize msys.httpclnt.http_request_set_body"
    ),
    "counts of failures by binding and domain": (
        "msys.policyeditor.get_binding_domain_failure_rate"
    ),
    "several event loops in a process": "msys.core.scheduler_for_domain msys.runInInst",
}

lua_constants("msys.smpp", SMPP_CONTINUE=0)
lua_constants(
    "msys.av",
    **{
        f"EC_AV_{name}": number
        for number, name in enumerate(
            "PART_IS_CONTAINER NAME_TOO_LONG NO_ENGINE NOT_SUITABLE_FOR_STREAMING ERROR CLEAN"
            " INFECTED UNSCANNABLE".split()
        )
    },
)


@lua("msys.av.engines", since="3.1")
def engines() -> list[str]:
    """Return the names of the antivirus engines: there is none."""
    return []


def _absent(name: str, missing: str) -> Callable[..., None]:
    def absent(*arguments: object) -> None:
        raise LuaError(f"'{name}' needs {missing}, which this server does not have")

    absent.__doc__ = f"Say that {missing} is missing."
    return absent


for _missing, _names in MISSING.items():
    for _name in _names.split():
        lua(_name)(_absent(_name, _missing))
