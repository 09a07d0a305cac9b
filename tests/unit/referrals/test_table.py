"""The clinician's table."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date
from typing import Any, Literal

import pytest
from rich.console import Console

from adapter.referrals.table import Decided, lines, not_referred, render_table, who
from adapter.referrals.wanted import Wanted
from adapter.referrals.words import spoken
from rules import Fact, ProposedReferral, State, Status
from tests.unit.referrals.samples import ANXIETY, ENDED, R03, R09, decision, outcomes, record


def decided(**more: Any) -> Decided:
    return Decided(record(), 0, decision(**more))


def printed(*results: Decided, terminal: bool = False) -> str:
    out = io.StringIO()
    colours: Literal["truecolor"] | None = "truecolor" if terminal else None
    render_table(results, Console(file=out, width=120, force_terminal=terminal, color_system=colours))
    return out.getvalue()


def patient(**changes: Any) -> Decided:
    made = decided()
    made.record.bundle["entry"][0]["resource"].update(changes)
    return made


def test_the_most_urgent_referral_comes_first_then_tasks_alerts_and_the_rest() -> None:
    what = [line.what for line in lines(decided())]
    assert what == [
        "Refer: Crisis team",
        "Refer: Perinatal community team",
        "To do: Ask today (Crisis team)",
        "To do: Confirm which relative is meant",
        "To do: Tell the team that already has her (Talking therapies)",
        "Alert: High risk in the first weeks after birth",
        "Alert: Safeguarding concern",
        "Not referred",
    ]


def test_a_referral_says_how_soon_by_when_and_why() -> None:
    first = next(lines(decided()))
    assert first.how_soon == "very urgent (asap)\nby 11-Mar-2026"
    assert first.why.splitlines()[0] == f"Any positive answer to a self-harm item ({R03})"
    assert first.why.splitlines()[-2] == "Out of hours"
    assert first.why.splitlines()[-1].startswith("Because of ")
    assert "2 on 09-Mar-2026" in first.why.splitlines()[-1]


def test_a_note_that_says_no_more_than_the_title_is_left_out() -> None:
    notes = ("The positive answer to a self-harm item", "Seen the same day")
    told = ProposedReferral("gp", "asap", date(2026, 3, 10), date(2026, 3, 10), (R03,), (), (), notes)
    assert next(lines(decided(referrals=(told,)))).why.splitlines() == [
        f"Any positive answer to a self-harm item ({R03})",
        "Seen the same day",
    ]


@pytest.mark.parametrize(
    ("written", "said"), [("2026-03-09", "09-Mar-2026"), ("2026-03", "Mar-2026"), ("2015", "2015")]
)
def test_a_date_is_said_no_more_exactly_than_it_is_written(written: str, said: str) -> None:
    assert spoken(written) == said


def test_every_date_of_the_table_has_one_form() -> None:
    ended = ProposedReferral("gp", "asap", date(2026, 3, 10), date(2026, 3, 10), (R03,), (), (ENDED, ANXIETY))
    why = next(lines(decided(referrals=(ended,)))).why
    assert "between 01-Feb-2026 and 03-Feb-2026" in why
    assert not re.search("[0-9]{4}-[0-9]{2}", why)


def test_a_later_start_is_said() -> None:
    later = ProposedReferral("gp", "routine", date(2026, 4, 1), date(2026, 4, 15), (R03,), (), ())
    assert next(lines(decided(referrals=(later,)))).how_soon == "routine\nfrom 01-Apr-2026\nby 15-Apr-2026"


def test_a_task_says_what_is_missing_in_the_words_of_the_pack() -> None:
    result = Decided(record(), 0, decision(), facts={"first_degree_bipolar": Wanted("Bipolar disorder of a relative")})
    assert [line.why for line in lines(result)][3].startswith(
        "Not known: Bipolar disorder of a relative: relation unknown\nr07-family-history"
    )


def test_no_referral_is_not_said_to_be_certain_where_rules_are_undecided_or_ask_for_something() -> None:
    assert next(lines(decided(referrals=()))).why == "No rule asks for one on what is known"
    assert next(lines(decided(referrals=(), outcomes=()))).why == "No rule asks for one on what is known"
    assert next(lines(decided(referrals=(), outcomes=(), tasks=()))).why == "No rule applies"


@pytest.mark.parametrize(
    ("changes", "nothing"),
    [
        ({"status": Status.NOT_FIRED}, True),
        ({"status": Status.OUT_OF_DATE}, True),  # not in force on that day
        ({"status": Status.OUT_OF_DATE, "missing": ("gad7_total",)}, False),
        ({"status": Status.ERROR}, False),
        ({"status": Status.SUPPRESSED, "suppressed_by": ("open-episode",)}, False),
        ({"status": Status.UNKNOWN, "missing": ("gad7_total",)}, False),
        ({"status": Status.FIRED}, False),
    ],
)
def test_no_rule_applies_only_where_every_one_is_certainly_not_met(changes: dict[str, Any], nothing: bool) -> None:
    one = replace(outcomes()[-1], **changes)
    shown = next(lines(decided(referrals=(), tasks=(), issues=(), outcomes=(one,)))).why
    assert shown == ("No rule applies" if nothing else "No rule asks for one on what is known")


def test_no_rule_applies_is_not_said_where_something_could_not_be_decided() -> None:
    outside = replace(outcomes()[-1], status=Status.NOT_FIRED, missing=("gad7_total",))
    shown = list(lines(decided(referrals=(), tasks=(), flags=(), outcomes=(outside,))))
    assert [line.why for line in shown] == [
        "No rule asks for one on what is known",
        "not decided for want of data: r22-eating-disorder",
    ]


def test_a_rule_of_which_a_part_is_open_is_not_said_to_be_undecided() -> None:
    part = replace(outcomes()[0], missing=("gad7_total",))
    assert not_referred(decided(outcomes=(part,))) == f"decided in part only for want of data: {R03}"


def test_a_referral_outside_the_window_says_so_and_is_not_held_back() -> None:
    outside = replace(outcomes()[1], status=Status.SUPPRESSED, suppressed_by=("outside-window",))
    result = decided(referrals=decision().referrals[:1], tasks=(), flags=(), outcomes=(outside,))
    (line,) = lines(result)
    words = "Severe mental illness now (r05-current-severe-mental-illness), outside its window of time"
    assert line.why.splitlines()[0] == words


def test_a_task_says_what_the_referral_would_have_said_and_what_is_amiss_with_the_service() -> None:
    task = replace(decision().tasks[2], notes=("Moderate illness", "It does not cover her.", "She goes on taking it"))
    (line,) = [line for line in lines(decided(tasks=(task,))) if line.what.startswith("To do")]
    assert line.why.splitlines() == ["It does not cover her.", "She goes on taking it", R09]


def test_what_was_not_referred_is_one_line() -> None:
    assert not_referred(decided()) == (
        "r09-moderate-illness held back (open-episode); r12-birth-trauma rests on data too old to count; "
        "not decided for want of data: r07-family-history"
    )
    assert not_referred(decided(outcomes=())) == ""


def test_who_is_name_number_and_age_the_day_before_her_birthday() -> None:
    assert who(decided()) == "EXAMPLE, Ada May\nNHS 999 000 0018\n29 years"


def test_who_makes_do_with_what_there_is() -> None:
    assert who(patient(name=[], identifier=[], birthDate="1996")) == "Name not known\nno identifier\nage not known"
    local = patient(name=[{"text": "Ada"}], identifier=[{"system": "urn:local", "value": "L1"}])
    assert who(local).startswith("Ada\nL1\n")
    old_then_usual = [{"use": "old", "family": "Before"}, {"use": "official", "family": "Now"}]
    assert who(patient(name=old_then_usual)).startswith("NOW\n")


def test_an_age_that_only_the_facts_know_is_shown() -> None:
    made = decided(facts={"age_years": Fact("age_years", State.KNOWN, 31)})
    made.record.bundle["entry"][0]["resource"]["birthDate"] = "1994"
    assert who(made).endswith("31 years")


def test_piped_output_has_no_colour_and_a_terminal_has() -> None:
    assert "\x1b" not in printed(decided())
    assert "\x1b" in printed(decided(), terminal=True)


def test_a_patients_name_is_never_read_as_markup() -> None:
    assert "[RED]X" in printed(patient(name=[{"family": "[red]x"}]))


def test_without_a_console_it_prints_to_standard_output(capsys: Any) -> None:
    render_table([decided()])
    shown = capsys.readouterr().out
    assert "Refer: Crisis team" in shown
    assert "\x1b" not in shown
