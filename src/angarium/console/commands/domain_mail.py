"""Mail of a domain, of all domains, or of whatever a filter names: ended, deleted, tried now."""

from collections.abc import Sequence
from typing import Annotated, Final

from angarium.console.access import Rank
from angarium.console.chosen import (
    ALL,
    PURGED,
    Asked,
    asked,
    done,
    known_binding,
    preview,
    reply_of,
    unless_all,
)
from angarium.console.command import Words, command
from angarium.console.errors import CommandError
from angarium.console.questions import mail
from angarium.console.result import Result
from angarium.console.session import Session
from angarium.queue.choice import Choice

_Of = Annotated[Words, "[--dry-run] [filter ...] <domain> [note ...]"]
_Filtered = Annotated[Words, "[--dry-run] <filter ...> [note ...]"]
_Bound = Annotated[Words, "[--dry-run] [filter ...] <binding> <domain | all> [note ...]"]
_DELETED: Final = "Message manually deleted."


@command("fail domain", who=Rank.OPERATOR)
async def fail_domain(session: Session, words: _Of) -> Result:
    """End the queued mail of a domain; senders get a report.

    The domain may be a pattern. A note is the reason which the report and the logs give; one that
    begins with a code, as `550 5.1.1 gone`, is taken as a whole. Filters: see fail all.
    """
    return await _fail_domain(session, words, report=True)


@command("fail domain quiet", who=Rank.OPERATOR)
async def fail_domain_quiet(session: Session, words: _Of) -> Result:
    """End the queued mail of a domain; senders get no report. The rest as fail domain."""
    return await _fail_domain(session, words, report=False)


async def _fail_domain(session: Session, words: Sequence[str], *, report: bool) -> Result:
    said = asked(words)
    domain = said.word("the domain")
    return await _failed(session, said, said.of(domain=domain), domain, report=report)


@command("fail all", who=Rank.OPERATOR)
async def fail_all(session: Session, words: _Filtered) -> Result:
    """End all queued mail which a filter names; senders get a report.

    Filters, of which all have to hold:

    - `--sender`, `--recipient`, `--domain`, `--binding`, `--group`, `--campaign` and a name. It may
      be a pattern: `*@example.com`, or a regular expression in slashes.
    - `--meta KEY VALUE`: a variable of the message has exactly this value.
    - `--header NAME LINE`: a field of its header has exactly this line. Of a folded field each
      line is one of its own, with the blanks it begins with.
    - `--age N`: it came in N seconds ago or earlier; `5m`, `2h`, `3d`.
    - `--attempts N`: so many attempts were made, or more.

    A campaign is the variable `mo_campaign_id` or `campaign_id`, else the field `X-Campaign-ID` or
    `X-Campaign`. With `--dry-run` nothing is done: the first 25 messages are listed, and all are
    counted. What is in an attempt is left to it.
    """
    return await _fail_all(session, words, report=True)


@command("fail all quiet", who=Rank.OPERATOR)
async def fail_all_quiet(session: Session, words: _Filtered) -> Result:
    """End all queued mail which a filter names; senders get no report. The rest as fail all."""
    return await _fail_all(session, words, report=False)


async def _fail_all(session: Session, words: Sequence[str], *, report: bool) -> Result:
    said = asked(words)
    choice = said.of()
    if choice.everything:
        raise CommandError("a filter is missing; fail domain * is all mail")
    return await _failed(session, said, choice, ALL, report=report)


@command("delete", who=Rank.OPERATOR)
async def delete(session: Session, words: _Filtered) -> Result:
    """Discard all queued mail which a filter names: each message has its line in the log.

    Senders get no report, and it counts as discarded, not as failed. Filters: see fail all.
    """
    said = asked(words)
    choice = said.of()
    if choice.everything:
        raise CommandError("a filter is missing; delete --domain * is all mail")
    if said.dry_run:
        return await preview(session, choice, "all domains", "deleted")
    code, text = reply_of(said.rest, _DELETED)
    asking = mail.fail(choice, code, text, False, "discarded")
    return await done(session, asking, lambda total: f"{total.entries} messages deleted.")


@command("binding fail domain", who=Rank.OPERATOR)
async def binding_fail_domain(session: Session, words: _Bound) -> Result:
    """End the queued mail of a domain on a binding, or all of it on the binding; with reports.

    Filters and note: see fail all and fail domain.
    """
    return await _binding_fail(session, words, report=True)


@command("binding fail domain quiet", who=Rank.OPERATOR)
async def binding_fail_domain_quiet(session: Session, words: _Bound) -> Result:
    """End the queued mail of a domain on a binding, or all of it on the binding, without reports.

    Filters and note: see fail all and fail domain.
    """
    return await _binding_fail(session, words, report=False)


async def _binding_fail(session: Session, words: Sequence[str], *, report: bool) -> Result:
    said = asked(words)
    binding = known_binding(session, said.word("the binding"))
    domain = said.word("the domain")
    choice = said.of(binding=binding, domain=unless_all(domain))
    return await _failed(session, said, choice, domain, report=report, bound="  ")


async def _failed(
    session: Session, said: Asked, choice: Choice, name: str, *, report: bool, bound: str = " "
) -> Result:
    every = name.lower() == ALL
    if said.dry_run:
        return await preview(session, choice, "all domains" if every else name, "failed")
    code, text = reply_of(said.rest, PURGED)

    def outcome(total: mail.Done) -> str:
        if every:
            return f"All domains purged.{bound}{total.entries} messages failed."
        return f"{name} purged, {total.entries} messages failed."

    return await done(session, mail.fail(choice, code, text, report, "failed"), outcome)


@command("flush domain", who=Rank.OPERATOR)
async def flush_domain(
    session: Session, words: Annotated[Words, "[--dry-run] [filter ...] <domain | all>"]
) -> Result:
    """Try the delayed mail of a domain now, or all delayed mail.

    Where no host could be reached, they are tried again at once. Filters: see fail all.
    """
    said = asked(words)
    domain = said.word("the domain")
    return await _flushed(session, said, said.of(domain=unless_all(domain)), domain)


@command("binding flush domain", who=Rank.OPERATOR)
async def binding_flush_domain(
    session: Session, words: Annotated[Words, "[--dry-run] [filter ...] <binding> <domain | all>"]
) -> Result:
    """Try the delayed mail of a domain on a binding now, or all delayed mail of the binding."""
    said = asked(words)
    binding = known_binding(session, said.word("the binding"))
    domain = said.word("the domain")
    choice = said.of(binding=binding, domain=unless_all(domain))
    return await _flushed(session, said, choice, domain)


async def _flushed(session: Session, said: Asked, choice: Choice, name: str) -> Result:
    said.end()
    if said.dry_run:
        return await preview(session, choice, name, "requeued", "delayed")
    return await done(
        session,
        mail.flush(choice),
        lambda total: f"{name} flushed.  {total.entries} messages requeued.",
    )
