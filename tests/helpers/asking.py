"""Policy out of modules with marked methods, for tests of who asks it."""

from angarium.policy.chain import Policy
from angarium.policy.guard import Guard, Handler
from angarium.policy.hooks import marked


def asked(*modules: object, panics: list[str] | None = None) -> Policy:
    """Return a policy in which these are asked, in this order; faults are noted in `panics`."""
    noted = [] if panics is None else panics
    guard = Guard(lambda module, line: noted.append(f"{module}: {line}"))
    return Policy(
        [
            (hook, Handler(method, type(module).__name__, method.__name__))
            for module in modules
            for hook, method in marked(module)
        ],
        guard,
    )
