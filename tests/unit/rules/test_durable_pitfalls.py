"""Each known pitfall of durable_rules: the right answer, or an error that says what to do. Never silence."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import durable_rules_engine as durable
import pytest

from rules import ContentError, DateSpan, EngineDisagreement, EngineError, Fact, Pack, State, Status
from rules.engine import session as session_module
from tests.unit.rules.tiny import AS_OF, known, rule, tiny

MANY = 250
BOOLEANS = "".join(f"b{i}: {{label: B{i}, type: boolean, from: {{}}}}\n" for i in range(MANY))
PLAIN = "name: p\nversion: 1.0.0\ntitle: P\ndefault_provider: home\ntimeframes: {routine: 14}\n"


def many(folder: Path, criteria: str) -> Pack:
    """A pack whose facts are 250 booleans."""
    return tiny(folder, pack=PLAIN, facts=BOOLEANS, criteria=criteria)


def all_true(count: int = MANY) -> dict[str, Fact]:
    return known(**{f"b{i}": True for i in range(count)})


def fired(pack: Pack, facts: dict[str, Fact]) -> list[str]:
    return [outcome.rule for outcome in pack.evaluate(facts, AS_OF).outcomes if outcome.status is Status.FIRED]


def test_1_and_2_absence_is_a_property_and_no_missing_fact(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{all: [{not: {score: {gte: 5}}}, {item: missing}]}"))
    assert fired(pack, {}) == ["r1"]
    assert fired(pack, known(item=1)) == []


def test_3_to_5_dates_are_compared_without_joins(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{ended_on: {days_after: {fact: started_on, gt: 0}}}"))
    assert fired(pack, known(started_on=date(2026, 1, 1), ended_on=date(2026, 1, 2))) == ["r1"]
    assert fired(pack, known(started_on=date(2026, 1, 2), ended_on=date(2026, 1, 2))) == []
    assert fired(pack, known(ended_on=date(2026, 1, 2))) == []


def test_6_sessions_in_which_no_rule_fires_do_not_crash(tmp_path: Path):
    pack = tiny(tmp_path)
    for _ in range(2000):
        assert pack.evaluate({}, AS_OF).referrals == ()


def test_7_8_and_9_sessions_leave_nothing_behind(tmp_path: Path):
    pack = tiny(tmp_path)
    for _ in range(1100):  # durable_rules stops at 1,024 sessions that are not deleted
        assert fired(pack, known(score=20)) == ["r1"]
        assert fired(pack, known(score=1)) == []


def test_10_facts_that_no_rule_looks_at_are_no_error(tmp_path: Path):
    assert fired(tiny(tmp_path), known(word="nobody asks for this", weight=1.0)) == []


@pytest.mark.parametrize("value", [1e-5, 1e22, -1e-7, 5e-324, 1.7976931348623157e308, 0.1 + 0.2])
def test_11_floats_of_any_size_are_written_without_exponent(tmp_path: Path, value: float):
    criteria = rule(f"{{weight: {{eq: {value!r}}}}}") + rule(f"{{weight: {{gt: {value!r}}}}}", "r2")
    assert fired(tiny(tmp_path, criteria=criteria), known(weight=value)) == ["r1"]


def test_11_a_fact_of_250_properties_is_split(tmp_path: Path):
    criteria = "".join(rule(f"{{b{i}: present}}", f"r{i}") for i in range(MANY))
    pack = many(tmp_path, criteria)
    assert len(fired(pack, all_true())) == MANY
    assert fired(pack, known(b7=True, b8=False)) == ["r7"]


def test_11_a_condition_over_250_properties_is_split(tmp_path: Path):
    everything = ", ".join(f"{{b{i}: present}}" for i in range(MANY))
    pack = many(tmp_path, rule(f"{{all: [{everything}]}}") + rule(f"{{any: [{everything}]}}", "r2"))
    assert fired(pack, all_true()) == ["r1", "r2"]
    assert fired(pack, all_true(MANY - 1)) == ["r2"]
    assert fired(pack, {}) == []


def test_12_a_rule_that_only_asks_for_absence_does_not_match_the_engines_own_state(tmp_path: Path):
    assert fired(tiny(tmp_path, criteria=rule("{not: {score: known}}")), {}) == ["r1"]


def test_13_no_python_runs_inside_the_engine():
    text = Path(session_module.__file__).read_text(encoding="utf-8")
    assert "durable.lang" not in text
    assert "Host" not in text
    assert "durable.lang" not in sys.modules


def test_14_text_that_looks_like_a_number_is_no_number(tmp_path: Path):
    criteria = rule('{word: {eq: "5"}}') + rule('{word: {eq: "true"}}', "r2")
    pack = tiny(tmp_path, criteria=criteria)
    assert fired(pack, known(word="5")) == ["r1"]
    assert fired(pack, known(word="true")) == ["r2"]
    assert fired(pack, known(word="5.0")) == []


def test_15_an_unknown_fact_is_neither_equal_nor_different(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{score: {ne: 5}}") + rule("{score: 5}", "r2"))
    facts = {"score": Fact("score", State.UNKNOWN)}
    assert fired(pack, facts) == []
    assert {outcome.status for outcome in pack.evaluate(facts, AS_OF).outcomes} == {Status.UNKNOWN}


def test_16_lists_of_codes_become_one_boolean_each(tmp_path: Path):
    codes = ["a", "é", '"', "\\", "x y", "1"]
    criteria = "".join(rule(f"{{open_services: {{contains: {code!r}}}}}", f"r{i}") for i, code in enumerate(codes))
    pack = tiny(tmp_path, criteria=criteria.replace("'\\\\'", "'\\'"))
    assert fired(pack, known(open_services=frozenset(codes))) == [f"r{i}" for i in range(len(codes))]
    assert fired(pack, known(open_services=frozenset({"é"}))) == ["r1"]


def test_17_alternatives_in_a_conjunction_add_up(tmp_path: Path):
    groups = ", ".join(f"{{any: [{{b{i}: present}}, {{b{i + 1}: present}}]}}" for i in range(0, 24, 2))
    pack = many(tmp_path, rule(f"{{all: [{groups}]}}"))  # 4,096 matches, were they multiplied
    assert fired(pack, all_true()) == ["r1"]
    assert fired(pack, all_true(22)) == []


def test_17_too_many_alternatives_are_refused_with_the_place_of_the_rule(tmp_path: Path):
    groups = ", ".join(f"{{any: [{{b{i}: present}}, {{b{i + 1}: present}}]}}" for i in range(0, 24, 2))
    with pytest.raises(ContentError, match=r"criteria/a.yaml:2:3: r1: 4097 alternatives") as caught:
        many(tmp_path, rule(f"{{any: [{{b40: present}}, {{all: [{groups}]}}]}}"))
    assert "split the rule" in str(caught.value)


def test_18_more_than_64_true_branches_are_all_seen(tmp_path: Path):
    choices = ", ".join(f"{{b{i}: present}}" for i in range(200))
    pack = many(tmp_path, rule(f"{{any: [{choices}]}}"))
    assert fired(pack, all_true()) == ["r1"]
    assert fired(pack, known(b199=True)) == ["r1"]


@pytest.mark.parametrize(
    "condition",
    [
        "{{any: [{{b{i}: present}}, {{b{j}: present}}]}}",
        "{{any: [{{b0: present}}, {{b{i}: present}}]}}",
        "{{all: [{{b0: present}}, {{any: [{{b{i}: present}}, {{b{j}: present}}]}}]}}",
        "{{any: [{{all: [{{b0: present}}, {{b{i}: present}}]}}, {{all: [{{b0: present}}, {{b{j}: present}}]}}]}}",
        "{{any: [{{all: [{{b{i}: present}}, {{b0: present}}]}}, {{all: [{{b{j}: present}}, {{b0: present}}]}}]}}",
    ],
)
def test_18_rules_that_begin_alike_or_not_are_all_seen(tmp_path: Path, condition: str):
    criteria = "".join(rule(condition.format(i=i + 1, j=199 - i), f"r{i}") for i in range(150))
    assert len(fired(many(tmp_path, criteria), all_true())) == 150


def test_18_600_comparisons_of_one_fact_do_not_loop(tmp_path: Path):
    criteria = "".join(rule(f"{{weight: {{gte: {i}.5}}}}", f"r{i}") for i in range(600))
    assert len(fired(tiny(tmp_path, criteria=criteria), known(weight=300.0))) == 300


def test_18_300_rules_may_share_a_condition(tmp_path: Path):
    criteria = "".join(rule(f"{{all: [{{b0: present}}, {{b{i % 200}: known}}]}}", f"r{i}") for i in range(300))
    assert len(fired(many(tmp_path, criteria), all_true())) == 300


def test_18_many_groups_in_one_rule_are_split(tmp_path: Path):
    choices = ", ".join(f"{{all: [{{b{i}: present}}, {{b{i + 1}: present}}]}}" for i in range(0, 60, 2))
    pack = many(tmp_path, rule(f"{{any: [{choices}]}}"))  # one rule holds 15 groups at the most
    assert fired(pack, known(b58=True, b59=True)) == ["r1"]
    assert fired(pack, known(b57=True, b58=True)) == []


def test_20_a_pack_can_be_shared_between_threads(tmp_path: Path):
    pack, wrong = tiny(tmp_path), []

    def work(score: int) -> None:
        for _ in range(200):
            if bool(fired(pack, known(score=score))) is not (score >= 13):
                wrong.append(score)

    threads = [threading.Thread(target=work, args=(score,)) for score in (1, 12, 13, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("text", ["café", "cafe\u0301", "\u2028", "😀", '"', "\\", "\n", "\x00", "\x7f", ""])
def test_21_text_of_any_kind_is_equal_to_itself_only(tmp_path: Path, text: str):
    pack = tiny(tmp_path, criteria=rule('{word: {in: ["café", "x"]}}'))
    assert fired(pack, known(word=text)) == (["r1"] if text == "café" else [])


def test_an_evaluation_that_does_not_reach_its_end_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pack = tiny(tmp_path)
    monkeypatch.setattr(session_module, "_END", "elsewhere")
    with pytest.raises(EngineError, match="did not reach the end"):
        pack.evaluate({}, AS_OF)


def test_a_session_that_fails_half_way_is_still_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pack = tiny(tmp_path)
    monkeypatch.setattr(session_module, "_END_FACT", "{ no json")
    for _ in range(20):
        with pytest.raises(EngineError):
            pack.evaluate(known(score=20), AS_OF)
    monkeypatch.undo()
    assert fired(pack, known(score=20)) == ["r1"]


def test_after_a_session_that_did_not_open_the_rulesets_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pack = tiny(tmp_path)
    monkeypatch.setattr(session_module, "_OPEN_FACT", "{ no json")
    with pytest.raises(EngineError, match="could not be opened"):
        pack.evaluate({}, AS_OF)
    monkeypatch.undo()
    assert fired(pack, known(score=20)) == ["r1"]
    assert fired(pack, known(score=1)) == []


def test_a_session_that_an_earlier_one_left_open_is_an_error_once(tmp_path: Path):
    pack = tiny(tmp_path)
    for handle, _ in next(iter(pack._compiled.values())).session._rulesets:
        durable.assert_fact(handle, session_module._OPEN_FACT)
    with pytest.raises(EngineError):
        pack.evaluate(known(score=20), AS_OF)
    assert fired(pack, known(score=20)) == ["r1"]


def test_evaluators_that_differ_give_no_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pack = tiny(tmp_path)
    monkeypatch.setattr(session_module.DurableSession, "true_names", lambda *_: {"r9"})
    with pytest.raises(EngineDisagreement) as caught:
        pack.evaluate(known(score=20), AS_OF)
    assert (caught.value.only_durable, caught.value.only_tracer) == ({"r9"}, {"r1"})


def test_the_fact_of_a_span_is_two_properties(tmp_path: Path):
    pack = tiny(tmp_path, criteria=rule("{ended_on: {days_ago: {ne: 3}}}"))
    around = Fact("ended_on", State.KNOWN, DateSpan(date(2026, 2, 26), date(2026, 2, 28)))
    assert pack.evaluate({"ended_on": around}, AS_OF).outcome("r1").status is Status.UNKNOWN


MEMORY = """
import sys
from pathlib import Path
from rules import load_pack
from tests.unit.rules.tiny import AS_OF, known
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
pack = load_pack(Path(sys.argv[1]))
for _ in range(500):
    pack.evaluate(known(score=20), AS_OF)
before = resident()
for index in range(5000):
    pack.evaluate(known(score=20 if index % 2 else 1), AS_OF)
for _ in range(20):
    load_pack(Path(sys.argv[1])).close()
print(resident() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_memory_stays_flat_over_5000_evaluations(tmp_path: Path):
    pack = tiny(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(pack.folder)],
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 5_000_000


def test_the_c_module_is_the_one_that_is_pinned():
    assert {"create_ruleset", "assert_fact", "start_action_for_state", "complete_and_start_action"} <= set(dir(durable))
