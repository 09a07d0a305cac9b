"""Facts, and values that they could have, as phrases that a letter can list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from adapter.referrals.services import destination
from adapter.referrals.words import day, finding, span, spoken, value, weeks_and_days
from rules import DateSpan, DaySpan, Fact, FactDeclaration, Service, State

if TYPE_CHECKING:
    from rules.whatif import Setting

NUMBERS = ("integer", "number")


class Phrases:
    """The words of one pack's facts and services on one day."""

    def __init__(self, facts: Mapping[str, FactDeclaration], services: Mapping[str, Service], as_of: date) -> None:
        self._facts, self._services, self._as_of = facts, services, as_of

    def name(self, fact: str) -> str:
        """What a fact is called: ``PHQ-9 total``, ``EPDS item 10 (the self-harm item)``, ``pregnant``."""
        declaration = self._facts[fact]
        head, comma, tail = declaration.label.partition(", ")
        if declaration.type not in NUMBERS or not comma:
            return declaration.label
        return f"{head} {tail}" if tail == "total" else f"{head} ({tail})"

    def service(self, key: str) -> str:
        return destination(key, self._services.get(key)).label

    def to(self, key: str) -> str:
        """A service in the middle of a sentence: ``the crisis team``, ``NHS Talking Therapies``."""
        label = self.service(key)
        first, *others = label.split()
        if any(word[:1].isupper() for word in others):
            return label
        return f"the {label}" if first.isupper() else f"the {label[:1].lower()}{label[1:]}"

    def found(self, fact: Fact) -> str:
        """What the record says: ``PHQ-9 total of 9 on 27-Feb-2026``, ``severe mental illness on 14-May-2018``."""
        name, kind = self.name(fact.name), self._facts[fact.name].type
        if fact.state is not State.KNOWN:
            return f"{name}: {finding(fact, spoken)}"
        said = finding(fact, spoken)
        if kind == "boolean":
            return name + said.removeprefix("yes") if fact.value is True else f"{name}: {said}"
        return self._joined(fact.name, self._codes(fact) if kind == "codes" else self._measured(fact, said))

    def _measured(self, fact: Fact, said: str) -> str:
        """A gestation in weeks alone; ages and the like with their unit."""
        unit = self._facts[fact.name].unit
        if isinstance(fact.value, DaySpan):
            return f"{weeks(fact.value)} weeks"
        return f"{said} {unit}".rstrip() if unit and fact.on is None else said

    def _codes(self, fact: Fact) -> str:
        codes = sorted(fact.value) if isinstance(fact.value, frozenset) else []
        return listed([self._code(code) for code in codes]) or "none"

    def _joined(self, fact: str, said: str) -> str:
        """``gestation of 28+0 weeks``, ``date of the most recent birth on 20-Dec-2025``, ``age of 15 years``."""
        declaration, name = self._facts[fact], self.name(fact)
        if declaration.type == "date":
            return f"{name} {said if said.startswith(('between', 'on ')) else f'on {said}'}"
        measure = declaration.type == "days" or bool(declaration.unit) or ", " in declaration.label
        return f"{name} of {said}" if measure and declaration.type != "codes" else f"{name}: {said}"

    # --- what could be -----------------------------------------------------------------------------------------------
    def instead(self, setting: Setting) -> str:
        """Another value beside the present one: ``PHQ-9 total of 15 or more instead of 12``."""
        was, now = setting.was, setting.now
        if was.older is not None and was.state is not State.KNOWN and now.value == was.older:
            return f"{self.found(now)} if it were not too old to count"
        if was.state is State.KNOWN and was.value == now.value and now.on and now.on != was.on:
            before = f" instead of {day(was.on)}" if was.on else ""
            return f"{self.name(setting.fact)} recorded on {day(now.on)}{before}"
        if isinstance(was.value, frozenset) and isinstance(now.value, frozenset):
            return self._codes_instead(setting.fact, was.value, now.value)
        return f"{self._would_be(setting)}{self._but_is(was)}"

    def _codes_instead(self, fact: str, was: frozenset[str], now: frozenset[str]) -> str:
        gone, new = ([self._code(code) for code in sorted(codes)] for codes in (was - now, now - was))
        person = (self._facts[fact].source or {}).get("person")
        if gone and not new and person == "open_services":
            return f"her not already open to {listed(gone)}"
        if gone and not new and person == "consent_refused_for":
            return "her consent"
        changed = (("without", gone), ("with", new))
        return f"{self.name(fact)}: {' and '.join(f'{word} {listed(codes)}' for word, codes in changed if codes)}"

    def _code(self, code: str) -> str:
        return self.to(code) if code in self._services else code

    def _would_be(self, setting: Setting) -> str:
        if setting.now.state is not State.KNOWN:
            return f"{self.name(setting.fact)}: none"
        kind = self._facts[setting.fact].type
        if kind not in (*NUMBERS, "days", "date"):
            return f"{self.name(setting.fact)}: {value(setting.now.value, spoken)}"
        limits = self.limits(setting)
        if not limits:
            return f"{self.name(setting.fact)}: any"
        unit = " weeks" if kind == "days" else f" {self._facts[setting.fact].unit}".rstrip()
        return self._joined(setting.fact, limits if kind == "date" else self._with_unit(limits, unit))

    def _with_unit(self, limits: str, unit: str) -> str:
        for tail in (" or more", " or less"):
            if limits.endswith(tail):
                return f"{limits.removesuffix(tail)}{unit}{tail}"
        return f"{limits}{unit}"

    def limits(self, setting: Setting) -> str:
        """``13 or more``, ``12 or less``, ``between 10 and 12``, ``on or before 01-Mar-2024``; "" for any value."""
        low, high = self._ends(setting)
        dated = self._facts[setting.fact].type == "date"
        if setting.low is not None and setting.low == setting.high:
            only = self._number(setting.fact, setting.low)
            return f"on {only}" if dated else only
        least, most = (self._number(setting.fact, end) for end in (low, high))
        if low is None and high is None:
            return ""
        if high is None:
            return f"on or after {least}" if dated else f"above {least}" if setting.low_open else f"{least} or more"
        if low is None:
            return f"on or before {most}" if dated else f"below {most}" if setting.high_open else f"{most} or less"
        if setting.low_open or setting.high_open:
            beyond, short = "above" if setting.low_open else "from", "below" if setting.high_open else "up to"
            return f"{beyond} {least} and {short} {most}"
        if dated:
            return f"between {least} and {most}"
        return f"{least} {'or' if high == low + 1 else 'to'} {most}"

    def _ends(self, setting: Setting) -> tuple[float | None, float | None]:
        """The ends of a setting; None where they are those of the fact itself."""
        declared = self._facts[setting.fact]
        least, most = declared.range or (None, self._as_of.toordinal() if declared.type == "date" else None)
        low = setting.low if setting.low != least or setting.low_open else None
        return low, setting.high if setting.high != most or setting.high_open else None

    def _number(self, fact: str, number: float | None) -> str:
        match self._facts[fact].type:
            case _ if number is None:
                return ""
            case "date":
                return day(date.fromordinal(int(number)))
            case "days":
                return weeks_and_days(int(number))
        return f"{number:g}"

    def _but_is(self, was: Fact) -> str:
        if was.state is State.KNOWN:
            if isinstance(was.value, DaySpan):
                return f" instead of {weeks(was.value)}"
            return f" instead of {value(was.value, spoken)}"
        if was.older is not None:
            return f" (only {value(was.older, spoken)} is on record, too old to count)"
        return " (not on record)" if was.state is State.ABSENT else " (not known)"

    # --- what is in the way ----------------------------------------------------------------------------------------
    def in_the_way(self, setting: Setting) -> str:
        """Why the present value does not do: ``PHQ-9 total of 9 is below 10``, ``no PHQ-9 total is on record``."""
        was, kind = setting.was, self._facts[setting.fact].type
        name = self.name(setting.fact)
        if was.state is not State.KNOWN:
            if was.older is not None:
                older = was._replace(state=State.KNOWN, value=was.older, on=was.older_on)
                return f"{self.found(older)} is too old to count"
            if was.state is State.UNKNOWN:
                return f"it is not known: {name}"
            return f"no {name} is on record" if kind in (*NUMBERS, "days") else f"not on record: {name}"
        if kind in (*NUMBERS, "days", "date") and setting.now.state is State.KNOWN:
            return self._measured_in_the_way(setting)
        return self.found(was)

    def _measured_in_the_way(self, setting: Setting) -> str:
        low, high = self._ends(setting)
        ends = _numbers(setting.was)
        found = self.found(setting.was)
        if ends is None:
            return found
        before, after = ("before", "after") if isinstance(setting.was.value, DateSpan) else ("below", "above")
        unit = " weeks" if isinstance(setting.was.value, DaySpan) else ""
        if low is not None and ends[0] < low:
            return f"{found} is {before} {self._number(setting.fact, low)}{unit}"
        if high is not None and ends[1] > high:
            return f"{found} is {after} {self._number(setting.fact, high)}{unit}"
        return found


def weeks(days: DaySpan) -> str:
    """Days as completed weeks and days: ``28+0``."""
    return span(weeks_and_days(days.low), weeks_and_days(days.high))


def _numbers(fact: Fact) -> tuple[float, float] | None:
    match fact.value:
        case DaySpan(low=low, high=high):
            return low, high
        case DateSpan(low=first, high=last):
            return first.toordinal(), last.toordinal()
        case int() | float() as number:
            return number, number
    return None


def listed(parts: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
