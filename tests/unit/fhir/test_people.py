"""Who is who: every form in which records say it, and that both users of the one home say the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapter.bootstrap import Adapter
from adapter.facts.people import ELSE, HERS, People
from adapter.fhir.patients import main_patient, split
from adapter.fhir.people import Relations
from adapter.fhir.references import Index
from adapter.pipeline import read, read_path
from adapter.records import MappedBundle, RawRecord, Resource
from tests.unit.fhir.resources import bundle, observation, patient, related

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
OLD = {"identifier": [{"system": "s", "value": "elsewhere"}]}


def mother(**more: Any) -> Resource:
    return patient("m", birthDate="1994-06-17", **more)


def baby(own: str = "b", born: str = "2026-02-20", **more: Any) -> Resource:
    return patient(own, birthDate=born, **more)


def seealso(*others: str) -> list[Resource]:
    return [{"other": {"reference": other}, "type": "seealso"} for other in others]


def is_patient(own: str) -> dict[str, Any]:
    """The identifiers of a Patient, for the RelatedPerson who is the same person."""
    return {"identifier": patient(own)["identifier"]}


def relations(*resources: Resource) -> Relations:
    return Relations(Index(bundle(*resources)))


FORMS = {
    "RelatedPerson for the baby, by identifier": [mother(), baby(), related("r", "Patient/b", "MTH", **is_patient("m"))],
    "RelatedPerson for the baby, by link": [mother(link=seealso("RelatedPerson/r")), baby(), related("r", "Patient/b", "NMTH")],
    "gestational mother": [mother(), baby(), related("r", "Patient/b", "GESTM", **is_patient("m"))],
    "parent": [mother(), baby(), related("r", "Patient/b", "PRN", **is_patient("m"))],
    "identifier written with spaces": [
        mother(), baby(),
        related("r", "Patient/b", "MTH", identifier=[{"system": i["system"], "value": f"{i['value'][:3]} {i['value'][3:6]} {i['value'][6:]}"} for i in patient("m")["identifier"]]),
    ],
    "RelatedPerson for the mother, by identifier": [mother(), baby(), related("r", "Patient/m", "NCHILD", **is_patient("b"))],
    "RelatedPerson for the mother, by link": [mother(), baby(link=seealso("RelatedPerson/r")), related("r", "Patient/m", "DAUC")],
    "HL7 v2 table 0063": [mother(), baby(), {**related("r", "Patient/m", "x", **is_patient("b")), "relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0063", "code": "NCH"}]}]}],
    "a role without its system": [mother(), baby(), {**related("r", "Patient/b", "x", **is_patient("m")), "relationship": [{"coding": [{"code": "MTH"}]}]}],
    "Patient.link from the baby": [mother(), baby(link=seealso("Patient/m"))],
    "Patient.link from the mother": [mother(link=seealso("Patient/b")), baby()],
    "a mother who is not said to be anybody else": [mother(), baby(), related("r", "Patient/b", "MTH")],
    "an infant whom nothing links": [mother(), baby(), observation("o", "Patient/m", effectiveDateTime="2026-03-01")],
    "the baby first": [baby(), mother(), related("r", "Patient/b", "MTH", **is_patient("m"))],
}  # fmt: skip


@pytest.mark.parametrize("resources", FORMS.values(), ids=FORMS.keys())
def test_mother_and_baby_are_one_record_with_one_baby(resources: list[Resource]) -> None:
    at = {r["id"]: n for n, r in enumerate(resources)}
    found = relations(*resources)
    assert found.subjects == (at["m"],)
    assert found.main == main_patient(bundle(*resources)) == at["m"]
    assert [child.at for child in found.born_to(at["m"])] == [at["b"]]
    assert found.born_to(at["b"]) == ()
    parts = split(bundle(*resources))
    assert parts.patients == (at["m"],)
    assert parts.groups == (tuple(range(len(resources))),)


@pytest.mark.parametrize(
    "resources",
    [
        [mother(), baby(), related("r", "Patient/b", "MTH", **OLD)],
        [mother(), baby(), related("r", "Patient/b", "GRMTH", **is_patient("m")), related("q", "Patient/b", "MTH", **OLD)],
        [mother(), baby(born="2013-02-20"), related("r", "Patient/b", "MTH", **is_patient("m")), observation("o", "Patient/m", effectiveDateTime="2026-03-01")],
        [mother(), baby(born="2013-02-20"), observation("o", "Patient/m", effectiveDateTime="2026-03-01")],
        [mother(), baby(born="2023-02-20"), observation("o", "Patient/m", effectiveDateTime="2026-03-01")],
        [mother(), patient("other", birthDate="1990"), baby()],
        [mother(link=seealso("Patient/b")), baby(born="2004-06-16")],
        [mother(link=[{"other": {"reference": "Patient/b"}, "type": "replaces"}]), baby(born="2023-01-01"), observation("o", "Patient/m", effectiveDateTime="2026-03-01")],
    ],
    ids=["another mother", "a grandmother", "grown up", "grown up, not linked", "no infant", "two who may be", "nine years apart", "a duplicate"],
)  # fmt: skip
def test_who_is_nobodys_baby(resources: list[Resource]) -> None:
    found = relations(*resources)
    assert found.subjects == tuple(n for n, r in enumerate(resources) if r["resourceType"] == "Patient")
    assert all(found.born_to(at) == () for at in found.patients)


def test_ten_years_to_the_day_make_a_baby_of_a_linked_patient() -> None:
    assert relations(mother(link=seealso("Patient/b")), baby(born="2004-06-17")).babies == {1: frozenset({0})}


def test_where_nothing_has_a_date_nobody_is_taken_for_an_infant_but_on_the_day_of_evaluation() -> None:
    record = Index(bundle(mother(), baby()))
    assert Relations(record).subjects == (0, 1)
    assert Relations(record, date(2026, 3, 2)).subjects == (0,)
    assert Relations(record, date(2028, 2, 20)).subjects == (0, 1)
    two = Index(bundle(patient("a", birthDate="1960"), patient("c", birthDate="1994")))
    assert Relations(two, date(2026, 3, 2)).subjects == (0, 1)


def test_a_mother_is_nobodys_baby() -> None:
    gran = patient("g", birthDate="1965", **OLD)
    found = relations(
        mother(),
        baby(),
        related("r", "Patient/b", "MTH", **is_patient("m")),
        gran,
        related("s", "Patient/m", "MTH", **OLD),
    )
    assert found.subjects == (0, 3)
    assert found.main == 0
    assert found.partners == {}


def test_a_mother_by_identifier_goes_before_a_parent_and_a_father() -> None:
    other = patient("o", birthDate="1990")
    found = relations(
        other,
        mother(),
        baby(),
        related("p", "Patient/b", "PRN", **is_patient("o")),
        related("r", "Patient/b", "MTH", **is_patient("m")),
    )
    assert found.babies == {2: frozenset({1})}
    assert (found.born_to(0), found.main) == ((), 1)


def test_a_father_without_the_mother_has_the_baby_in_his_record_and_did_not_bear_it() -> None:
    father = patient("f", birthDate="1990", gender="male")
    found = relations(father, baby(), related("r", "Patient/b", "FTH", **is_patient("f")))
    assert found.subjects == (0,)
    assert found.born_to(0) == ()
    assert found.fathered(0) == (1,)


def test_twins_of_one_birth_date_are_each_counted_once() -> None:
    record = [
        mother(),
        baby("b1", identifier=[{"value": "1"}]),
        baby("b2", identifier=[{"value": "2"}]),
        related("r1", "Patient/b1", "MTH", **is_patient("m")),
        related("r2", "Patient/b2", "MTH", **is_patient("m")),
        related("c1", "Patient/m", "NCHILD", birthDate="2026-02-20"),
        related("c2", "Patient/m", "NCHILD", birthDate="2026-02-20"),
        related("c3", "Patient/m", "NCHILD", birthDate="2020-01-01"),
    ]
    children = relations(*record).born_to(0)
    assert sorted((child.at, child.others) for child in children) == [(1, (5,)), (2, (6,)), (7, ())]


# --- partners ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", ["DOMPART", "SIGOTHR", "SPS", "HUSB", "WIFE", "NFTHF"])
def test_partners(role: str) -> None:
    partner = patient("p", birthDate="1990", link=seealso("RelatedPerson/r"))
    found = relations(partner, mother(), related("r", "Patient/m", role))
    assert found.subjects == (0, 1)
    assert (found.main, found.partners, found.as_partner) == (1, {0: frozenset({1})}, {0: (2,)})
    assert (found.only_partner(0), found.only_partner(1)) == (True, False)
    assert found.expects(0) == (role == "NFTHF")
    assert split(bundle(partner, mother(), related("r", "Patient/m", role))).kin == ((1,), ())


@pytest.mark.parametrize("role", ["FMRSPS", "BRO", "GRFTH", "FRND", "MTH"])
def test_who_is_no_partner(role: str) -> None:
    found = relations(patient("p", birthDate="1990"), mother(), related("r", "Patient/m", role, **is_patient("p")))
    assert found.partners == {}


@pytest.mark.parametrize(("born", "partner"), [("1984-06-18", True), ("1984-06-17", False), ("1960-01-01", False)])
def test_the_father_in_a_womans_own_record_is_hers_where_he_can_be(born: str, partner: bool) -> None:
    found = relations(patient("p", birthDate=born), mother(), related("r", "Patient/m", "FTH", **is_patient("p")))
    assert bool(found.partners) is partner


def test_the_father_of_her_baby_is_her_partner() -> None:
    found = relations(
        mother(),
        baby(),
        patient("f", birthDate="1990"),
        related("r", "Patient/b", "MTH", **is_patient("m")),
        related("s", "Patient/b", "NFTH", **is_patient("f")),
    )
    assert found.partners == {2: frozenset({0})}
    assert [child.at for child in found.born_to(0)] == [1]
    assert found.born_to(2) == ()


def test_a_baby_whom_only_the_father_names_is_that_of_the_other_person_here() -> None:
    found = relations(
        mother(),
        baby(),
        patient("f", birthDate="1990"),
        related("s", "Patient/b", "FTH", **is_patient("f")),
        observation("o", "Patient/m", effectiveDateTime="2026-03-01"),
    )
    assert found.subjects == (0, 2)
    assert (found.partners, found.fathered(2)) == ({2: frozenset({0})}, (1,))
    assert [child.at for child in found.born_to(0)] == [1]


def test_two_who_are_each_others_partner_keep_what_is_theirs() -> None:
    record = [
        mother(),
        patient("p", birthDate="1990"),
        baby(),
        related("r", "Patient/m", "HUSB", **is_patient("p")),
        related("s", "Patient/p", "WIFE", **is_patient("m")),
        related("c", "Patient/m", "NCHILD", **is_patient("b")),
    ]
    found = relations(*record)
    assert found.partners == {0: frozenset({1}), 1: frozenset({0})}
    assert [child.at for child in found.born_to(0)] == [2]
    assert not found.only_partner(0)
    assert not found.only_partner(1)


def test_the_partner_s_record_has_what_is_about_them_and_not_her_data() -> None:
    hers = observation("hers", "Patient/m")
    about_him = observation("about-him", "Patient/m", focus=[{"reference": "RelatedPerson/r"}])
    direct = {"resourceType": "QuestionnaireResponse", "id": "form", "status": "completed", "subject": {"reference": "RelatedPerson/r"}}  # fmt: skip
    record = bundle(
        mother(), patient("p", birthDate="1990", link=seealso("RelatedPerson/r")), related("r", "Patient/m", "SPS"), hers, about_him, direct
    )  # fmt: skip
    parts = split(record)
    assert parts.patients == (0, 1)
    assert parts.groups == ((0, 2, 3, 4), (1, 2, 4, 5))
    assert parts.kin == ((), (0,))
    people = People(Index(record), 1)
    assert [people.owner(resource) for resource in (hers, about_him, direct)] == [ELSE, HERS, HERS]
    people = People(Index(record), 0)
    assert [people.owner(resource) for resource in (hers, about_him, direct)] == [HERS, ELSE, ELSE]


# --- what mappings make --------------------------------------------------------------------------------------------
HL7 = r"""MSH|^~\&|DEMO|RZZ99|PERINATAL|RZZ99|202603020900||ADT^A01^ADT_A01|1|P|2.5
PID|1||9990001057^^^NHS^NH||XXTESTPATIENT^ONE^^^MS||{born}|1|||1 Example Street^^Exampleton^^ZZ99 3VZ{mother}
NK1|1|XXTESTPATIENT^TWO|{role}
PV1|1|I
"""


def _one(records: Any) -> MappedBundle:
    [record] = records
    assert isinstance(record, MappedBundle)
    return record


@pytest.mark.parametrize(
    ("role", "mother"), [("MTH^Mother^HL70063", ""), ("MTH^Mother^HL70063", "||||||||||9990001014^^^NHS^NH")]
)
def test_hl7_a_newborns_message_is_about_the_newborn(role: str, mother: str) -> None:
    text = HL7.format(born="20260226", role=role, mother=mother).replace("\n", "\r")
    record = _one(read(Adapter(), RawRecord("a.hl7", text.encode())))
    found = Relations(Index(record.bundle))
    assert (len(found.subjects), found.babies, found.partners) == (1, {}, {})
    assert found.born_to(found.subjects[0]) == ()


@pytest.mark.parametrize(
    ("role", "children"), [("NCH^Natural child^HL70063", 1), ("DOM^Partner^HL70063", 0), ("FTH^Father^HL70063", 0)]
)
def test_hl7_nk1(role: str, children: int) -> None:
    text = HL7.format(born="19940617", role=role, mother="").replace("\n", "\r")
    record = _one(read(Adapter(), RawRecord("a.hl7", text.encode())))
    people = People(Index(record.bundle))
    assert len(people.babies) == children
    assert people.target == main_patient(record.bundle)
    assert not people.relations.only_partner(people.target or 0)


def test_msds_the_baby_tables_give_her_babies_each_once() -> None:
    record = _one(read_path(Adapter(), FIXTURES / "37-twins-one-stillborn" / "msds"))
    people = People(Index(record.bundle))
    born = [record.bundle["entry"][child.at]["resource"] for child in people.babies]
    assert [resource["resourceType"] for resource in born] == ["Patient", "Patient"]
    assert len({resource["birthDate"] for resource in born}) == 1
    assert all(child.others for child in people.babies)
    assert split(record.bundle).patients == (people.target,)


def test_mhsds_one_patient_is_one_person() -> None:
    record = _one(read_path(Adapter(), FIXTURES / "56-mhsds-a-partner" / "mhsds"))
    people = People(Index(record.bundle))
    assert (people.relations.subjects, people.babies) == ((people.target,), ())


# --- broken and large ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "broken",
    [
        {"resourceType": "RelatedPerson", "relationship": [{"coding": [{"system": [], "code": {}}]}, 7], "patient": 3},
        {"resourceType": "RelatedPerson", "relationship": "MTH", "identifier": [7, {"value": 1}], "patient": {"reference": "Patient/b"}},
        {"resourceType": "Patient", "birthDate": 7, "link": [3, {"other": "x"}, {"other": {"reference": "Patient/m"}, "type": 7}]},
        {"resourceType": "Observation", "subject": {"reference": "Patient/m"}, "focus": [3, {"reference": 7}, None]},
        {"resourceType": 7},
    ],
)  # fmt: skip
def test_a_broken_resource_stops_nobody(broken: Resource) -> None:
    found = split(bundle(mother(), baby(), related("r", "Patient/b", "MTH", **is_patient("m")), broken))
    assert found.patients[0] == 0


def test_a_child_is_as_old_as_the_newest_date_says() -> None:
    linked = [mother(), baby(born="2016-03-02"), related("r", "Patient/b", "MTH", **is_patient("m"))]
    for day, babies in ((date(2026, 3, 1), {1: frozenset({0})}), (date(2026, 3, 2), {})):
        seen = observation("o", "Patient/m", effectiveDateTime=day.isoformat(), issued=None)
        assert relations(*linked, seen).babies == babies
