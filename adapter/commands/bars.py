"""``evaluate --format bars``: each referral as the message that an NHS system takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from adapter.commands.output import say, write_line

if TYPE_CHECKING:
    from adapter.bootstrap import Adapter
    from adapter.pipeline import Result


def write_messages(adapter: Adapter, results: Iterable[Result], provider: str) -> bool:
    """One message a line; an OperationOutcome for a record that was refused or a service without an address.

    True where there was any of these. Ends the command (exit code 2) where nobody has said who sends.
    """
    from adapter.referrals.bars import bars_messages, is_draft, nhs_number_left_out
    from adapter.referrals.bars_sender import load_sender
    from adapter.referrals.wanted import because
    from rules import ContentError

    if adapter.settings.bars is None:
        say("perinatal: a file must say who sends BaRS messages, and to whom: name it in PERINATAL_BARS (docs/bars.md)")
        raise typer.Exit(2)
    try:
        pack = adapter.content(provider).pack
        sender = load_sender(adapter.settings.bars, pack.services, [rule.id for rule in pack.rules])
    except ContentError as wrong:
        say(f"perinatal: {wrong}")
        raise typer.Exit(2) from None
    failed, drafts, without = False, 0, 0
    known = adapter.content(provider).wanted
    for result in results:
        if result.bundle is None or result.decision is None:
            failed = True
            write_line(result.outcome)
            continue
        told = {referral.service: because(referral.facts, known) for referral in result.decision.referrals}
        for message in bars_messages(result.bundle, sender, adapter.base, told):
            write_line(message)
            if message["resourceType"] == "OperationOutcome":
                failed = True
                continue
            drafts += is_draft(message)
            without += nhs_number_left_out(message, result.bundle)
    if drafts:
        say(f"{drafts} of these nobody has accepted: their status is draft, and no receiver takes them")
    if without:
        say(f"{without} of these leave out an NHS number that the record does not mark as verified")
    return failed
