"""A referral as a BaRS message: the request that an NHS system takes over ``$process-message``.

Sources: the BaRS Core guide 1.2.2 and Application 5's payload (the nearest published one: there is no maternity or
mental-health use case), MessageDefinition ``bars-message-servicerequest-request-referral`` 1.0.0-beta, and the profiles
BARSBundleMessage 1.0.0, BARSMessageHeader-servicerequest-request 1.0.3, BARSServiceRequest-request-referral 1.0.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from itertools import takewhile
from zoneinfo import ZoneInfo

from adapter.fhir.ids import Ids
from adapter.fhir.outcome import operation_outcome
from adapter.fhir.profiles import NHS_NUMBER, ODS_ORGANISATION, profile_for
from adapter.records import Issue, Resource
from adapter.referrals.bars_quotations import Quotations
from adapter.referrals.bars_sender import BarsSender, Organisation, Receiver
from adapter.referrals.scope import DISTRIBUTION, installed, reference

BARS = "https://fhir.nhs.uk/StructureDefinition/"
MESSAGE = "https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request-referral"
DOS = "https://fhir.nhs.uk/Id/dos-service-id"
_CODES = "https://fhir.nhs.uk/CodeSystem/"
_LONDON = ZoneInfo("Europe/London")
_LOCAL_USE_CASE = ("perinatal-referral", "Perinatal mental health referral")
_REFERRAL = {"system": f"{_CODES}message-category-servicerequest", "code": "referral", "display": "Transfer of Care"}


def bars_messages(result: Resource, sender: BarsSender, base: str, told: Mapping[str, str]) -> Iterator[Resource]:
    """One message Bundle for each ServiceRequest of a result Bundle, most urgent first.

    ``told`` has, by the key of a service, what the referral rests on, in words. A referral to a service that has no
    address gives an OperationOutcome in its place. What nobody has accepted leaves with status ``draft``, which every
    receiver refuses; see ``BarsSender.accepts``.
    """
    entries: dict[str, Resource] = {entry["fullUrl"]: entry["resource"] for entry in result["entry"]}
    proposals = takewhile(lambda entry: entry[1]["resourceType"] != "GuidanceResponse", entries.items())
    for url, resource in proposals:  # what comes after is quoted, and may be an earlier referral
        if resource["resourceType"] == "ServiceRequest":
            key = service_key(resource, base)
            receiver = _receiver(resource, entries, sender.receivers.get(key))
            if receiver is None:
                yield _unaddressed(base, key)
            else:
                yield _Message(url, key, entries, sender, receiver, base, told.get(key, "")).bundle()


def service_key(request: Resource, base: str) -> str:
    """The key of the service that a ServiceRequest goes to."""
    system = f"{base}/CodeSystem/referral-service"
    return next(str(c["code"]) for c in request["performerType"]["coding"] if c.get("system") == system)


def is_draft(message: Resource) -> bool:
    """Whether nobody has accepted the referral of a message."""
    requests = (e["resource"] for e in message["entry"] if e["resource"]["resourceType"] == "ServiceRequest")
    return any(request["status"] == "draft" for request in requests)


def nhs_number_left_out(message: Resource, result: Resource) -> bool:
    """Whether the record has an NHS number that is not marked as verified, and so is not in its message."""
    having, going = (_has_nhs_number(bundle["entry"]) for bundle in (result, message))
    return having and not going


def _has_nhs_number(entries: list[Resource]) -> bool:
    patient = next(entry["resource"] for entry in entries if entry["resource"]["resourceType"] == "Patient")
    return bool(_identifier(patient, NHS_NUMBER))


def _receiver(request: Resource, entries: Mapping[str, Resource], named: Receiver | None) -> Receiver | None:
    """The team that the directory routed to; without its address, the receiver that the site's file names."""
    performer = request.get("performer", [{}])[0].get("reference", "")
    service = entries.get(performer, {})
    owner = service.get("providedBy", {}).get("identifier", {})
    dos, ods = _identifier(service, DOS), owner.get("value", "") if owner.get("system") == ODS_ORGANISATION else ""
    if dos and ods:
        return Receiver(dos=dos, organisation=Organisation(ods=ods, name=service["name"]))
    return named


def _identifier(resource: Resource, system: str) -> str:
    found = (str(i.get("value", "")) for i in resource.get("identifier", ()) if i.get("system") == system)
    return next(found, "")


def _unaddressed(base: str, key: str) -> Resource:
    text = f"no BaRS address is known for {key}: the referral cannot be sent this way"
    return operation_outcome((Issue("error", "not-found", text, "no-service-covers", key),), base)


class _Message:
    """One message while it is put together. Same in, same out: its times are those of the decision's day."""

    def __init__(
        self,
        url: str,
        key: str,
        entries: Mapping[str, Resource],
        sender: BarsSender,
        receiver: Receiver,
        base: str,
        told: str,
    ) -> None:
        self._entries, self._sender, self._receiver, self._base = entries, sender, receiver, base
        self._key, self._told, self._url, self._request = key, told, url, entries[url]
        self._day = date.fromisoformat(self._request["authoredOn"])
        self._now = _instant(self._day, time(0))
        self._ids = Ids("bars", self._request["id"], receiver.dos, sender.dos)
        self._quotations = Quotations(entries, self._request, self._now)

    def bundle(self) -> Resource:
        head, request = self._header(), self._service_request()
        parts = [
            request,
            self._encounter(),
            self._care_plan(),
            (self._request["subject"]["reference"], self._quotations.patient()),
            *self._people(),
            self._service(),
            self._consent(),
            *((url, self._quotations.of(url)) for url in self._quotations.evidence),
        ]
        return {
            "resourceType": "Bundle",
            "id": self._ids("Bundle"),
            "meta": {
                "versionId": self._sender.application_version,
                "lastUpdated": self._now,
                "profile": [f"{BARS}BARSBundleMessage"],
            },
            "type": "message",
            "timestamp": self._now,
            "entry": [{"fullUrl": url, "resource": resource} for url, resource in (head, *parts)],
        }

    def _made(self, kind: str, elements: Resource, name: str = "", profile: str = "") -> tuple[str, Resource]:
        """A resource of the message, with its full URL; elements that are empty are left out."""
        meta = {"lastUpdated": self._now, "profile": [profile or profile_for(kind)]}
        found = {element: value for element, value in elements.items() if value not in ("", {}, [])}
        return self._at(kind, name), {"resourceType": kind, "meta": meta, **found}

    def _at(self, kind: str, name: str = "") -> str:
        return f"urn:uuid:{self._ids(kind, name)}"

    def _header(self) -> tuple[str, Resource]:
        sender, software = self._sender, installed()
        cdss = [
            {"url": "RequesterCDSSsoftware", "valueString": DISTRIBUTION},
            {"url": "RequesterCDSSversion", "valueString": software},
        ]
        source: Resource = {
            "name": sender.organisation.name,
            "software": DISTRIBUTION,
            "version": software,
            "endpoint": f"{DOS}|{sender.dos}",
        }
        if sender.telephone:
            source["contact"] = {"system": "phone", "value": sender.telephone}
        to = {"endpoint": f"{DOS}|{self._receiver.dos}", "receiver": reference(self._at("Organization", "receiver"))}
        elements: Resource = {
            "extension": [{"url": f"{BARS}CDSSExtension", "extension": cdss}],
            "eventCoding": {"system": f"{_CODES}message-events-bars", "code": "servicerequest-request"},
            "destination": [to],
            "sender": reference(self._at("Organization", "sender")),
            "source": source,
            "reason": {"coding": [{"system": f"{_CODES}message-reason-bars", "code": "new"}]},
            "focus": [reference(self._url)],
            "definition": MESSAGE,
        }
        return self._made("MessageHeader", elements, profile=f"{BARS}BARSMessageHeader-servicerequest-request")

    def _service_request(self) -> tuple[str, Resource]:
        """The proposal as an order. ``status`` is active only where the site's written policy accepts it."""
        given = self._request
        rules = {_rule(canonical) for canonical in given["instantiatesCanonical"]}
        accepted = not rules.isdisjoint(self._sender.accepts.get(self._key, frozenset()))
        start, end = (date.fromisoformat(given["occurrencePeriod"][each]) for each in ("start", "end"))
        kept = ("extension", "instantiatesCanonical", "priority", "code", "reasonCode", "note", "performerType")
        elements: Resource = {
            **{name: given[name] for name in kept if name in given},
            "basedOn": [reference(self._at("CarePlan"))],
            "status": "active" if accepted else "draft",
            "intent": "plan",
            "category": [{"coding": [_REFERRAL, self._use_case()]}],
            "subject": given["subject"],
            "encounter": reference(self._at("Encounter")),
            "occurrencePeriod": {"start": _instant(start, time(0)), "end": _instant(end, time(23, 59, 59))},
            "authoredOn": self._now,
            "requester": reference(self._at("Practitioner")),
            "performer": [reference(self._at("HealthcareService"))],
        }
        for name in ("reasonReference", "supportingInfo"):
            elements[name] = [each for each in given.get(name, ()) if each["reference"] in self._quotations.evidence]
        profile = f"{BARS}BARSServiceRequest-request-referral"
        return self._url, self._made("ServiceRequest", elements, profile=profile)[1]

    def _use_case(self) -> Resource:
        if self._sender.use_case:
            return self._sender.use_case.coding()
        code, display = _LOCAL_USE_CASE
        return {"system": f"{self._base}/CodeSystem/bars-use-case", "code": code, "display": display}

    def _encounter(self) -> tuple[str, Resource]:
        journey = self._ids("EpisodeOfCare")
        elements: Resource = {
            "status": "finished",
            "class": self._sender.encounter_class.coding(),
            "subject": self._request["subject"],
            "episodeOfCare": [{"reference": f"EpisodeOfCare/{journey}"}],
            "period": {"start": self._now},
        }
        return self._made("Encounter", elements)

    def _care_plan(self) -> tuple[str, Resource]:
        """Why, in words. That the plan is completed is how BaRS tells a referral from a validation."""
        given = self._request
        reasons = [reason["text"] for reason in given.get("reasonCode", ()) if "text" in reason]
        notes = [note["text"] for note in given.get("note", ())]
        rules = [f"Rule {canonical}" for canonical in given["instantiatesCanonical"]]
        text = ". ".join(part.rstrip(".") for part in (*reasons, *notes, self._told, *rules) if part)
        elements: Resource = {
            "status": "completed",
            "intent": "plan",
            "subject": given["subject"],
            "encounter": reference(self._at("Encounter")),
            "period": {"start": self._now},
            "addresses": self._quotations.conditions(),
            "activity": [{"outcomeCodeableConcept": [{"text": text}]}],
        }
        return self._made("CarePlan", elements)

    def _people(self) -> Iterator[tuple[str, Resource]]:
        who = self._sender.practitioner
        name = {"family": who.family, "given": [who.given]} if who.given else {"family": who.family}
        ident = {"system": "https://fhir.nhs.uk/Id/sds-role-profile-id", "value": who.sds_role_profile}
        yield self._made("Practitioner", {"identifier": [ident], "name": [name]})
        role: Resource = {
            "practitioner": reference(self._at("Practitioner")),
            "organization": reference(self._at("Organization", "sender")),
            "code": [{"coding": [who.role.coding()]}] if who.role else [],
        }
        yield self._made("PractitionerRole", role)
        for which, organisation in (("sender", self._sender.organisation), ("receiver", self._receiver.organisation)):
            elements: Resource = {
                "identifier": [{"system": ODS_ORGANISATION, "value": organisation.ods}],
                "type": [{"coding": [organisation.type.coding()]}] if organisation.type else [],
                "name": organisation.name,
            }
            yield self._made("Organization", elements, which)

    def _service(self) -> tuple[str, Resource]:
        """The service that is asked: the only HealthcareService that a message may hold."""
        kind = self._request["performerType"]
        performer = self._request.get("performer", [{}])[0].get("reference", "")
        elements: Resource = {
            "identifier": [{"system": DOS, "value": self._receiver.dos}],
            "active": True,
            "providedBy": reference(self._at("Organization", "receiver")),
            "type": [kind],
            "name": self._entries.get(performer, {}).get("name", kind["text"]),
        }
        return self._made("HealthcareService", elements)

    def _consent(self) -> tuple[str, Resource]:
        """That her data are shared for direct care; what she has refused of the referral itself is in its notes."""
        scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
        category = {"system": f"{_CODES}consent-categories-bars", "code": "DRC", "display": "Direct Care"}
        elements: Resource = {
            "status": "active",
            "scope": {"coding": [scope]},
            "category": [{"coding": [category]}],
            "patient": self._request["subject"],
            "dateTime": self._day.isoformat(),
            "policyRule": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMPLIED"}]
            },
        }
        return self._made("Consent", elements)


def _rule(canonical: str) -> str:
    return canonical.partition("|")[0].rpartition("/")[2]


def _instant(day: date, at: time) -> str:
    """A time of day in England, with its offset."""
    return datetime.combine(day, at, _LONDON).isoformat()
