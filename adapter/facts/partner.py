"""The partner of a woman who is pregnant or has a new baby, in the partner's own record.

``from: {partner: known, recorded: FACT}``, or ``from: {partner: pregnant | pregnancy_ended_on | undated}``.

What says so is a RelatedPerson who is the Patient, in the role of a partner or of the father of her baby. Whether she
is pregnant is in her record, which is read where it came in the same Bundle; no resource of it is quoted: the evidence
is the relationship. Where it did not come, it is not known, and asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from adapter.facts import dates
from adapter.facts.pregnancy import ASK_STATUS
from adapter.facts.pregnancy_facts import FACTS as HER_FACTS
from adapter.facts.pregnancy_facts import Pregnancy
from adapter.facts.reading import Declared, Reading
from adapter.records import Evidence
from rules import DateSpan, Fact, State


class Partner:
    """Whose partner the person of a record is.

    ``hers``: the pregnancies of those whose records came with this one. ``facts``: those of this record so far.
    """

    __slots__ = ("evidence", "expects", "facts", "fathered", "hers", "linked", "only")

    def __init__(self, reading: Reading, hers: Sequence[Pregnancy], facts: Mapping[str, Fact]) -> None:
        relations, target = reading.people.relations, reading.people.target
        self.hers, self.facts = hers, facts
        self.evidence: tuple[Evidence, ...] = ()
        self.fathered: tuple[DateSpan, ...] = ()
        self.linked = self.only = self.expects = False
        if target is None or not relations.related:
            return
        persons = relations.as_partner.get(target, ())
        self.evidence = tuple(Evidence(person, "relationship") for person in persons)
        self.linked = bool(persons) and (bool(hers) or relations.is_partner(target))
        self.only = relations.only_partner(target)
        self.expects = relations.expects(target)
        born = (dates.read(reading.find.resource_at(at), "birthDate") for at in relations.fathered(target))
        self.fathered = tuple(when.span for when in born if when is not None and when.span.low <= reading.as_of)

    def ask(self, fact: Declared, name: str) -> list[Fact]:
        """What each of their records says of a fact of her pregnancy."""
        return [HER_FACTS[name](fact, pregnancy) for pregnancy in self.hers]


def _known(recorded: str, fact: Declared, partner: Partner) -> Fact:
    """A partner by the fact ``recorded``, of a woman whose record tells of a pregnancy, or of one who is not here."""
    said = partner.facts.get(recorded)
    if said is not None and said.value is True:
        return fact.known(True, None, said.evidence)
    over = partner.fathered or any(isinstance(one.value, DateSpan) for one in partner.ask(fact, "pregnancy_ended_on"))
    alone = partner.only and not partner.hers
    if alone or partner.expects or over or any(one.value is True for one in partner.ask(fact, "pregnant")):
        return fact.known(True, None, partner.evidence)
    return fact.missing()


def _pregnant(fact: Declared, partner: Partner) -> Fact:
    if not partner.linked:
        return fact.missing()
    said = partner.ask(fact, "pregnant")
    if partner.expects or any(one.value is True for one in said):
        return fact.known(True, None, partner.evidence)
    return _unless_unknown(fact, partner, said) or fact.known(False, None, partner.evidence)


def _ended(fact: Declared, partner: Partner) -> Fact:
    if not partner.linked and not partner.fathered:
        return fact.missing()
    said = partner.ask(fact, "pregnancy_ended_on")
    spans = [*partner.fathered, *(one.value for one in said if isinstance(one.value, DateSpan))]
    if spans:
        return fact.known(max(spans, key=lambda span: (span.high, span.low)), None, partner.evidence)
    return _unless_unknown(fact, partner, said) or fact.not_so("none-recorded", partner.evidence)


def _undated(fact: Declared, partner: Partner) -> Fact:
    said = partner.ask(fact, "undated") if partner.linked else []
    return fact.known(True, None, partner.evidence) if any(one.value is True for one in said) else fact.missing()


def _unless_unknown(fact: Declared, partner: Partner, said: Sequence[Fact]) -> Fact | None:
    if not said or any(one.state is State.UNKNOWN for one in said):
        return fact.unknown("not-recorded", partner.evidence, ASK_STATUS)
    return None


FACTS: Mapping[str, Callable[[Declared, Partner], Fact]] = {
    "pregnant": _pregnant,
    "pregnancy_ended_on": _ended,
    "undated": _undated,
}


def compiled(source: Mapping[str, Any]) -> Callable[[Declared, Partner], Fact]:
    """The function of a declaration. Raises ValueError where it cannot be understood."""
    name = source["partner"]
    if name == "known" and isinstance(source.get("recorded", ""), str):
        return partial(_known, source.get("recorded", ""))
    if name not in FACTS:
        raise ValueError(f"{name!r} is none of known, {', '.join(FACTS)}")
    return FACTS[name]
