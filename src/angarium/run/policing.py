"""The policy of a worker: made with each generation, and brought into force where it is asked.

Where nothing of it has changed, and it is no reload, the one in force goes on: what its scripts
have counted and remember is then not lost by a change somewhere else.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Any, Final

from angarium.config.resolve import Configuration
from angarium.config.section import Section
from angarium.core.errors import Error
from angarium.core.reply import Reply
from angarium.inbound import offers
from angarium.inbound.services import Services
from angarium.modules import index
from angarium.modules.auth import outbound_smtp_auth
from angarium.modules.means import Hooks, Means
from angarium.modules.options import LEVELS, PolicyModule
from angarium.outbound.asking import asked
from angarium.outbound.bounce import Bounces
from angarium.outbound.demands import Heard
from angarium.outbound.hearing import hearing
from angarium.outbound.logins import HostLogins
from angarium.outbound.secured import Securing
from angarium.outbound.settle import Settle
from angarium.outbound.witness import witness
from angarium.policy.chain import Policy
from angarium.policy.guard import Guard, Handler
from angarium.policy.hooks import Connect, Hook, marked, on
from angarium.policy.module import NOBODY, Asks, Policing
from angarium.policy.options import Asking, Scripts, Variables
from angarium.policy.verdict import DONE, Verdict
from angarium.queue.admit import Admit, refused_by_policy
from angarium.queue.rules import Forgetting, Report, rules

FORGETTING: Final = ("exclude_vctx_conn", "exclude_vctx_mess")


def guard_of(configuration: Configuration, panic: Any) -> Guard:
    """Return the guard with what the options say."""
    options = configuration.top(Asking)
    code = options.policy_error_code
    return Guard(
        panic,
        Reply(code, "policy failed", f"{code // 100}.3.0"),
        options.policy_wait_limit,
        options.policy_session_limit,
    )


def prepared(means: Means) -> Policing:
    """Make the modules of a generation.

    Raises:
        Error: one of them cannot be; with its stanza, and file and line where they are known.
    """
    configuration = means.configuration
    modules: list[Any] = []
    passive: list[Any] = []
    handlers: list[tuple[type[Hook], Handler]] = []
    for stanza in configuration.root.children or {}:
        if stanza not in index.POLICY:
            continue
        made = index.policy(stanza)
        for name, options in configuration.instances(stanza):
            level = options.debug_level if isinstance(options, PolicyModule) else "ERROR"
            tell = partial(_tell, means.panic, stanza, LEVELS.index(level))
            module = made(name, options, replace(means, tell=tell))
            means.modules.setdefault(stanza, []).append(module)
            if not isinstance(options, PolicyModule) or options.enabled:
                modules.append(module)
                handlers += _handlers(module, stanza, name)
            else:
                passive.append(module)
    policing = NOBODY
    if modules or passive:
        policy = Policy(handlers, means.guard)
        for module in (*modules, *passive):
            if isinstance(module, Asks):
                module.ruled(policy)
        policing = Policing(policy, modules, passive)
    offers.check(configuration.root, policing.schemes)
    return policing


def _tell(
    panic: Callable[[str, str], None], stanza: str, least: int, level: str, text: str
) -> None:
    if LEVELS.index(level) >= least:
        panic(stanza, text)


def _handlers(module: Any, stanza: str, name: str) -> list[tuple[type[Hook], Handler]]:
    if isinstance(module, Hooks):
        return list(module.handlers())
    label = f"{stanza} {name}" if name and name != stanza else stanza
    return [
        (hook, Handler(method, stanza, f"{label} {method.__name__}"))
        for hook, method in marked(module)
    ]


class Shut:
    """Stands in the place of policy which cannot be used."""

    @on(Connect)
    def refuse(self, event: Connect) -> Verdict:
        event.session.refuse(Reply(421, "policy cannot be used", "4.3.0"), disconnect=True)
        return DONE


class Ruling:
    """The policy in force in a worker.

    Args:
        means: what there is for modules, of a generation.
        services: the sessions' (`policing` and what belongs to it are set there).
        report: makes what a sender is told of one recipient that policy refused.
        hear: is given who hears how connections fare by what domains demand.
        logins: as whom messages log in at hosts.
        securing: what makes connections to hosts secure.
    """

    def __init__(
        self,
        means: Callable[[Configuration], Means],
        services: Services,
        admit: Admit,
        settle: Settle,
        bounces: Bounces,
        report: Report,
        hear: Callable[[Heard], None],
        *,
        logins: HostLogins | None = None,
        securing: Securing | None = None,
    ) -> None:
        self._means = means
        self._services = services
        self._admit = admit
        self._settle = settle
        self._bounces = bounces
        self._report = report
        self._hear = hear
        self._logins = logins or HostLogins()
        self._securing = securing
        self._stanzas: object = None
        services.report = report

    @property
    def policing(self) -> Policing:
        return self._services.policing

    def prepare(self, configuration: Configuration) -> Policing:
        """Make the policy of a generation. Raises Error where it cannot be."""
        return prepared(self._means(configuration))

    def begin(self, configuration: Configuration, alarm: Callable[[str], None]) -> None:
        """Bring the first one into force.

        Where it cannot be made, which was tried before the server started, no mail is taken in and
        what is queued goes on: a worker that ended instead would only be started again.
        """
        try:
            policing = self.prepare(configuration)
        except Error as error:
            alarm(f"policy cannot be used, so no mail is taken in: {error}")
            guard = self._means(configuration).guard
            policing = Policing(Policy(_handlers(Shut(), "policy", ""), guard), ())
        self.enforce(policing, configuration, reload=True)

    def enforce(self, policing: Policing, configuration: Configuration, *, reload: bool) -> None:
        """Bring it into force, if it is another one."""
        stanzas = _stanzas(configuration)
        services = self._services
        services.compares_batches = configuration.top(Scripts).expensive_batch_assessment
        # What comes in has variables without any policy, too.
        forgets = names_any(configuration.root, FORGETTING)
        self._admit.forgetting = Forgetting(partial(_variables, configuration)) if forgets else None
        kept = not reload and stanzas == self._stanzas
        policy = services.policing.policy if kept else policing.policy
        self._logins.use(policy, by_message=outbound_smtp_auth.counts(configuration))
        if self._securing is not None:
            self._securing.asking = asked(policy)
        if kept:
            policing.replace()
            return
        self._stanzas = stanzas
        before, services.policing = services.policing, policing
        if policing is not NOBODY:
            policing.before = before.sums()
        admit = self._admit
        admit.rules = rules(policy, self._report, refused_by_policy)
        self._hear(hearing(policy, services.clock.time))
        self._settle.witness = self._bounces.witness = witness(policy, self._settle.witness)
        policing.start()
        before.replace()

    def close(self) -> None:
        """The worker ends: modules write what is to be kept."""
        self.policing.end()


def _variables(configuration: Configuration, group: str, binding: str, domain: str) -> Variables:
    return configuration.at(Variables, group=group, binding=binding, domain=domain)


def names_any(section: Section, options: Collection[str]) -> bool:
    """Say whether one of these options is set anywhere in a stanza."""
    if any(name in section.values for name in options):
        return True
    inner = section.children or {}
    return any(names_any(each, options) for kind in inner.values() for each in kind.values())


def _stanzas(configuration: Configuration) -> object:
    """Return all that is set in the stanzas of modules which are policy."""
    children = configuration.root.children or {}
    return [
        (stanza, name, _values(section))
        for stanza in children
        if stanza in index.POLICY
        for name, section in children[stanza].items()
    ]


def _values(section: Section) -> object:
    inner = section.children or {}
    return (
        sorted(section.values.items(), key=itemgetter(0)),
        [(kind, name, _values(each)) for kind in inner for name, each in inner[kind].items()],
    )
