"""The one pass over a record: each resource's codes are looked up once, then each fact is worked out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Protocol

from adapter.facts import dates
from adapter.facts.codes import NO_SYSTEM, CodeIndex, CodeLists, Concept
from adapter.facts.declarations import (
    NO_CONSENT,
    OBSERVED,
    Compiled,
    compile_declarations,
    resolve_partner,
    resolve_pregnancy,
)
from adapter.facts.people import ELSE, HERS, UNKNOWN, People
from adapter.facts.person import Services
from adapter.facts.pregnancy_facts import Pregnancy
from adapter.facts.questionnaires import COMPLETE, WITHDRAWN, form
from adapter.facts.reading import PREGNANCY, YOUNGEST_AGE, Numbers, Reading, Sighting
from adapter.facts.site_codes import NO_SITE_CODES, SiteCodes
from adapter.fhir.references import Index
from adapter.records import Issue, Resource
from rules import Fact

REMEMBERED_DAYS = 400
SPECIAL = frozenset({"QuestionnaireResponse", "FamilyMemberHistory", "MedicationStatement", "MedicationRequest"})
"""Those of READ whose codes are not in ``code``."""
READ = frozenset(
    {
        "Observation",
        "Condition",
        "Procedure",
        "MedicationStatement",
        "MedicationRequest",
        "FamilyMemberHistory",
        "QuestionnaireResponse",
        "EpisodeOfCare",
        "ServiceRequest",
        "Consent",
    }
)
"""The resource types that facts come from."""
_new_sighting = partial(tuple.__new__, Sighting)  # half of the time that the constructor takes


class PackLike(Protocol):
    """What the extraction needs of a rule pack (rules.Pack has it)."""

    @property
    def fact_declarations(self) -> Mapping[str, Any]: ...
    @property
    def services(self) -> Mapping[str, Any]: ...
    @property
    def folder(self) -> Any: ...
    def parameter(self, name: str, as_of: date) -> Any: ...


@dataclass(frozen=True, slots=True)
class FactResult:
    """The facts of one person. ``patient`` is the entry of the Patient; ``refused``: the record may not be used."""

    facts: dict[str, Fact]
    issues: tuple[Issue, ...]
    refused: bool
    patient: int


class ReadsFacts(Protocol):
    """What the pipeline needs of a reader of facts (FactReader is one)."""

    def read(
        self, bundle: Resource, as_of: date, patient: int | None = None, kin: Sequence[Resource] = ()
    ) -> FactResult: ...


class FactReader:
    """Reads the facts of a pack out of records. Made once per pack by ``compile_facts``; safe to share."""

    def __init__(self, pack: PackLike, base: str, site: SiteCodes = NO_SITE_CODES) -> None:
        lists = CodeLists(pack.folder / "codes", site.lists)
        services = _services(pack.services)
        self._compiled: Compiled = compile_declarations(pack.fact_declarations, lists, services)
        lists.get(PREGNANCY)
        self._index = CodeIndex((*lists.all(), NO_CONSENT), base.rstrip("/"))
        self._pack = pack
        self._defaults = {one.name: one.default for one in self._compiled.sighted}
        self._by_list: dict[str, list[int]] = {}
        self._by_form: dict[str, list[int]] = {}
        for number, one in enumerate(self._compiled.sighted):
            for name in one.lists:
                self._by_list.setdefault(name, []).append(number)
            for name in one.questionnaires:
                self._by_form.setdefault(name, []).append(number)
        self._silences = [(OBSERVED[kind], _silence(OBSERVED[kind])) for kind in self._compiled.kinds]
        self._numbers: dict[date, Numbers] = {}

    def read(
        self, bundle: Resource, as_of: date, patient: int | None = None, kin: Sequence[Resource] = ()
    ) -> FactResult:
        """The facts about one Patient of a record on a day.

        ``patient`` is the Patient's entry; default: the main one. ``kin``: the Bundles of those whose partner the
        Patient is. Facts with ``derive`` are not among them: the pack works those out. Never raises for what a valid
        record holds.
        """
        reading = self._reading(bundle, as_of, patient)
        people = reading.people
        facts = self._defaults.copy()
        self._resolve(reading, facts)
        if self._compiled.partner:
            hers = [Pregnancy(self._reading(each, as_of)) for each in kin]
            resolve_partner(self._compiled, reading, hers, facts)
        self._not_supplied(reading)
        for at in people.taken_to_be_hers:
            text = "nothing links this infant to anybody: it is taken to be the baby of the only other person here"
            reading.issue("informational", text, "", at, severity="information")
        return FactResult(facts, tuple(reading.issues), reading.refused, people.target or 0)

    def _reading(self, bundle: Resource, as_of: date, patient: int | None = None) -> Reading:
        """A record after the one pass over it."""
        find = Index(bundle)
        reading = Reading(as_of, find, People(find, patient, as_of), self._index, self._numbers_on(as_of))
        self._pass(reading)
        return reading

    def _numbers_on(self, as_of: date) -> Numbers:
        numbers = self._numbers.get(as_of)
        if numbers is None:
            if len(self._numbers) >= REMEMBERED_DAYS:
                self._numbers.clear()
            numbers = self._numbers[as_of] = Numbers(self._pack.parameter, as_of)
        return numbers

    # --- the pass --------------------------------------------------------------------------------------------------
    def _pass(self, reading: Reading) -> None:
        """Look every code of the record up. Most mean nothing to any fact: those cost one look into ``idle``."""
        people, hers, idle = reading.people, reading.hers, self._index.idle
        for at, kind in enumerate(reading.find.types):
            if kind not in READ:
                continue
            resource = reading.entries[at]["resource"]
            subject = resource.get("subject")
            owner = people.owners.get(subject.get("reference")) if subject and "focus" not in resource else None
            if owner is None:
                owner = people.owner(resource)
            if owner == HERS:
                if kind != "Observation":
                    hers.setdefault(kind, []).append(at)
            elif owner == UNKNOWN:
                reading.issue("not-found", "it is about somebody who is not in the record", "wrong-subject", at)
                continue
            elif owner == ELSE:
                text = "it is about a partner or a relative, in whose own record it belongs, and is not read as hers"
                reading.issue("business-rule", text, "wrong-subject", at)
                continue
            if kind in SPECIAL:
                self._special(reading, at, resource, owner)
                continue
            concept = resource.get("code")
            if concept is not None:
                codings = concept.get("coding", ())
                for coding in codings:
                    if coding.get("code") not in idle:
                        self._look(reading, at, resource, concept, resource, "", "code", owner)
                        break
                if kind == "Condition" and owner == HERS:
                    reading.diagnosed(at, codings)
            for number, component in enumerate(resource.get("component", ())):
                concept = component.get("code")
                for coding in () if concept is None else concept.get("coding", ()):
                    if coding.get("code") not in idle:
                        self._look(reading, at, resource, concept, component, f"component[{number}].", "code", owner)
                        break

    def _special(self, reading: Reading, at: int, resource: Resource, owner: int) -> None:
        """The resource types whose codes are not in ``code``."""
        kind = resource["resourceType"]
        if kind == "QuestionnaireResponse":
            self._form(reading, at, resource, owner)
        elif kind == "FamilyMemberHistory":
            for number, condition in enumerate(resource.get("condition", ())):
                prefix = f"condition[{number}]."
                self._look(reading, at, resource, condition.get("code"), condition, prefix, "code", owner)
        else:
            self._medicine(reading, at, resource, owner)

    def _look(
        self,
        reading: Reading,
        at: int,
        resource: Resource,
        concept: Resource | None,
        part: Resource,
        prefix: str,
        name: str,
        owner: int,
    ) -> None:
        """Look the codings of one CodeableConcept up; in each list, the first that is in it counts."""
        if concept is None:
            return
        codings = concept.get("coding", ())
        if resource["resourceType"] == "FamilyMemberHistory" and owner == HERS:
            reading.coded(at, codings, prefix + name)
        seen: list[str] = []
        unclear = False
        for number, coding in enumerate(codings):
            for found in self._index.find(coding):
                if found is NO_SYSTEM:
                    unclear = True
                    continue
                if found.list in seen:
                    continue
                seen.append(found.list)
                path = f"{prefix}{name}.coding[{number}]"
                conflict = "display" in coding and reading.contradicted(found, coding, at, path)
                sighting = _new_sighting((at, resource, found, part, prefix, f"{path}.code", conflict, owner))
                self._sighted(reading, sighting, found)
        if unclear and not seen:
            reading.without_system(at)

    def _sighted(self, reading: Reading, sighting: Sighting, found: Concept) -> None:
        if found.list in self._compiled.score_lists:
            self._check_person(reading, sighting.at, sighting.owner, sighting.coding)
        elif sighting.owner != HERS and found.list in self._compiled.finding_lists:
            sighting = self._about_baby(reading, sighting)
        if sighting.owner == HERS or found.list == PREGNANCY:
            reading.sightings.setdefault(found.list, []).append(sighting)

    def _about_baby(self, reading: Reading, sighting: Sighting) -> Sighting:
        """A finding in her record that has her baby in focus (harm, bonding) is a finding of hers."""
        if reading.people.subject_of(sighting.resource) == HERS:
            return sighting._replace(owner=HERS)
        text = "it is in the record of her baby, and is not read as hers"
        reading.issue("business-rule", text, "wrong-subject", sighting.at, sighting.coding)
        return sighting

    def _form(self, reading: Reading, at: int, resource: Resource, owner: int) -> None:
        name, response = form(at, resource, self._compiled.questionnaires)
        if name:
            self._check_person(reading, at, owner, "questionnaire")
        if not name or owner != HERS:
            return
        if resource.get("status") == WITHDRAWN:
            text = "the form was withdrawn and not used"
            reading.issue("informational", text, "withdrawn-result", at, "status", "information")
        elif resource.get("status") not in COMPLETE:
            reading.issue("incomplete", "the form is not complete and was not used", "", at, "status", "information")
        if response is not None:
            reading.forms.setdefault(name, []).append(response)

    def _medicine(self, reading: Reading, at: int, resource: Resource, owner: int) -> None:
        concept, name = resource.get("medicationCodeableConcept"), "medicationCodeableConcept"
        if concept is not None:
            self._look(reading, at, resource, concept, resource, "", name, owner)
            reading.prescribed(at, concept.get("coding", ()), name)
            return
        reference = resource.get("medicationReference") or {}
        text = str(reference.get("reference", ""))
        if text.startswith("#"):
            for number, inner in enumerate(resource.get("contained", ())):
                if inner.get("id") == text[1:] and "code" in inner:
                    path = f"contained[{number}].code"
                    self._look(reading, at, resource, inner["code"], resource, "", path, owner)
                    reading.prescribed(at, inner["code"].get("coding", ()), path)
                    return
        target = reading.find.target(reference)
        medicine = reading.find.resource_at(target) if target is not None else {}
        if medicine.get("resourceType") == "Medication" and target is not None:
            self._refer(reading, at, resource, medicine, owner)
        else:
            path = "medicationReference"
            reading.issue("not-found", "the medicine is not in the record", "uncoded-text", at, path)

    def _refer(self, reading: Reading, at: int, resource: Resource, medicine: Resource, owner: int) -> None:
        """A medicine in an entry of its own: what was read is the reference to it."""
        path, codings = "medicationReference.reference", (medicine.get("code") or {}).get("coding", ())
        reading.prescribed(at, codings, path)
        for coding in codings:
            for found in self._index.find(coding):
                if found is NO_SYSTEM:
                    reading.without_system(at)
                    continue
                conflict = reading.contradicted(found, coding, at, path)
                self._sighted(reading, Sighting(at, resource, found, resource, "", path, conflict, owner), found)

    def _check_person(self, reading: Reading, at: int, owner: int, path: str) -> None:
        """A mother's score on a child's record is refused; on her baby's record it is not hers."""
        text = "a maternal score is on a child's record"
        if owner != HERS:
            reading.issue("business-rule", text, "wrong-subject", at, path, "error")
            return
        if reading.grown_up is None:
            born = dates.read(reading.people.patient or {}, "birthDate")
            years = reading.number(YOUNGEST_AGE) or 0
            reading.grown_up = dates.add_years(born.span, years).low if born else date.min
        resource = reading.entries[at]["resource"]
        scored = dates.effective(resource) or dates.read(resource, "authored")
        if (scored.span.low if scored else reading.as_of) < reading.grown_up:
            reading.issue("business-rule", text, "wrong-subject", at, path, "error")
            reading.refused = True

    # --- the facts -------------------------------------------------------------------------------------------------
    def _resolve(self, reading: Reading, facts: dict[str, Fact]) -> None:
        """Work out what the record speaks of; every other fact stays what it is when nothing is recorded."""
        numbers = {number for name in reading.sightings for number in self._by_list.get(name, ())}
        for name in reading.forms:
            numbers.update(self._by_form.get(name, ()))
        for number in sorted(numbers):
            extractor = self._compiled.sighted[number]
            facts[extractor.name] = extractor.resolve(reading)
        for name, resolve in self._compiled.always:
            facts[name] = resolve(reading)
        resolve_pregnancy(self._compiled, reading, facts)

    def _not_supplied(self, reading: Reading) -> None:
        """Once for each kind of data that the record holds none of, so that nobody reads silence as health."""
        for types, issue in self._silences:
            if reading.hers.keys().isdisjoint(types):
                reading.issues.append(issue)


def _silence(types: Iterable[str]) -> Issue:
    text = f"the record holds no {' and no '.join(types)}"
    return Issue("information", "informational", text, "data-not-supplied", "Bundle")


def _services(services: Mapping[str, Any]) -> Services:
    snomed: dict[str, tuple[str, ...]] = {}
    for key, service in services.items():
        code = getattr(service, "snomed", "")
        code = code.get("code", "") if isinstance(code, Mapping) else getattr(code, "code", code)
        if code:
            snomed[code] = (*snomed.get(code, ()), key)
    return Services(frozenset(services), snomed)


def compile_facts(pack: PackLike, base: str, site: SiteCodes = NO_SITE_CODES) -> FactReader:
    """The reader of a pack's facts; ``base`` is the canonical base of the local code systems, ``site`` a site's codes.

    Raises CannotStart for a code list that is missing or a declaration that cannot be understood.
    """
    return FactReader(pack, base, site)
