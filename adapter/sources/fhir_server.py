"""One patient's record pulled from a FHIR R4 server.

The Patient is found by NHS number, then all about her by ``Patient/{id}/$everything``, or by searches where the server
has no such operation. The NHS number goes into the body of a POST to ``_search`` and never into a URL, a log, an error
or an Issue; where the server's own id of the Patient is her NHS number, searches take the place of ``$everything`` for
the same reason. Nothing a server says in words is repeated: it may be about her.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urljoin

import orjson

from adapter.errors import Malformed, Unprocessable
from adapter.fhir.profiles import NHS_NUMBER
from adapter.fhir.references import identifiers_of
from adapter.nhs_numbers import nhs_number
from adapter.records import Issue, RawRecord, Resource
from adapter.sources.fhir_client import FhirClient, Limits, ServerFailed

SEARCHED: Mapping[str, dict[str, str]] = {
    "Observation": {},
    "Condition": {},
    "Procedure": {},
    "MedicationStatement": {"_include": "MedicationStatement:medication"},
    "MedicationRequest": {"_include": "MedicationRequest:medication"},
    "FamilyMemberHistory": {},
    "QuestionnaireResponse": {},
    "EpisodeOfCare": {},
    "Encounter": {},
    "ServiceRequest": {},
    "RelatedPerson": {},
    "Consent": {},
}
"""What is searched for where there is no ``$everything``, with what is asked for besides."""

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_NO_SUCH_OPERATION = frozenset({400, 404, 405, 501})


def pull_record(
    base: str, given: str, token: str = "", limits: Limits | None = None
) -> tuple[RawRecord, tuple[Issue, ...]]:
    """The record of the patient with this NHS number as one searchset Bundle, and what is to be said of it.

    CannotStart: ``base`` is no URL that records may be read from. Unprocessable: no NHS number, nobody has it, or two
    Patients have. ServerFailed: the server did not answer as it should. Malformed: what it answered is no FHIR Bundle.
    TooLarge: over a limit.
    """
    number = nhs_number(given)
    if not number:
        text = "this is not a valid NHS number (ten digits, modulus 11)"
        raise Unprocessable(Issue("error", "value", text, "nhs-number-invalid"))
    pull = _Pull(FhirClient(base, token, limits or Limits()), number)
    pull.run()
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": list(pull.entries.values())}
    return RawRecord("server", orjson.dumps(bundle), "fhir"), tuple(dict.fromkeys(pull.issues))


class _Pull:
    """One record being pulled: what was read so far, and what is to be said about it."""

    def __init__(self, client: FhirClient, number: str) -> None:
        self.client, self.number = client, number
        self.page_size = str(client.limits.page_size)
        self.entries: dict[str, Resource] = {}
        self.issues: list[Issue] = []

    def run(self) -> None:
        patient = self.find()
        ident = patient["resource"]["id"]
        if _ID.fullmatch(ident) is None:
            raise Malformed(Issue("error", "value", "the Patient's id is no FHIR id", "malformed", "Patient.id"))
        self.keep(patient)
        if self.number in ident or not self.everything(ident):
            self.search_all(ident)

    def find(self) -> Resource:
        """The one entry of the Patient with the number."""
        form = {"identifier": f"{NHS_NUMBER}|{self.number}", "_count": "10"}
        page = self.client.bundle("search for the Patient", "POST", f"{self.client.base}/Patient/_search", form)
        found = {
            entry["resource"]["id"]: entry
            for entry in _entries(page)
            if entry["resource"]["resourceType"] == "Patient" and _has_number(entry["resource"], self.number)
        }
        if len(found) > 1 or (found and _next(page)):
            text = "confirm identity: more than one Patient on the server has this NHS number; none was read"
            raise Unprocessable(Issue("error", "multiple-matches", text, "data-conflict", "Patient.identifier"))
        if not found:
            text = "no Patient on the server has this NHS number"
            raise Unprocessable(Issue("error", "not-found", text, "", "Patient.identifier"))
        return next(iter(found.values()))

    def everything(self, ident: str) -> bool:
        """Whether the server has the operation; then what it gave has been kept."""
        url = f"{self.client.base}/Patient/{ident}/$everything?_count={self.page_size}"
        before = self.client.pages
        try:
            self.keep_all("Patient/$everything", "GET", url)
        except ServerFailed as failed:
            if failed.answered in _NO_SUCH_OPERATION and self.client.pages == before + 1:
                return False
            raise
        return True

    def search_all(self, ident: str) -> None:
        for kind, more in SEARCHED.items():
            form = {"patient": f"Patient/{ident}", "_count": self.page_size, **more}
            try:
                self.keep_all(f"search for {kind}", "POST", f"{self.client.base}/{kind}/_search", form)
            except ServerFailed as failed:
                if failed.answered not in _NO_SUCH_OPERATION | {403}:
                    raise
                text = f"the server could not be searched for {kind} (HTTP {failed.answered}): none of it was read"
                self.issues.append(Issue("warning", "incomplete", text, "data-not-supplied", "Bundle"))

    def keep_all(self, what: str, method: str, url: str, form: dict[str, str] | None = None) -> None:
        """Keep what is on the page at the URL and on those after it."""
        seen = {url}
        page = self.client.bundle(what, method, url, form)
        while True:
            for entry in _entries(page):
                if entry["resource"]["resourceType"] == "OperationOutcome":
                    text = f"{what}: the server says that what it gave is not all, or not as asked for"
                    self.issues.append(Issue("warning", "incomplete", text, "", "Bundle"))
                else:
                    self.keep(entry)
            following = _next(page)
            if not following:
                return
            url = urljoin(f"{self.client.base}/", following)
            if why := self.not_followed(url, seen):
                text = f"{what}: a next page was not read: {why}"
                self.issues.append(Issue("warning", "incomplete", text, "", "Bundle.link"))
                return
            seen.add(url)
            page = self.client.bundle(what, "GET", url)

    def keep(self, entry: Resource) -> None:
        """An entry under its URL; the same resource again, from another search or page, is one entry."""
        resource = entry["resource"]
        url = entry.get("fullUrl") or f"{self.client.base}/{resource['resourceType']}/{resource.get('id', '')}"
        self.entries[url] = {"fullUrl": url, "resource": resource}

    def not_followed(self, url: str, seen: set[str]) -> str:
        """Why a next page is not read; "" when it may be."""
        if not self.client.same_origin(url):
            return "it is on another server"
        if url in seen:
            return "it was read before, so the pages go round in a circle"
        return "its address holds the NHS number" if self.number in unquote(url) else ""


def _entries(page: Resource) -> list[Resource]:
    entries: list[Resource] = page.get("entry", [])
    return entries


def _next(page: Resource) -> str:
    return next((str(link.get("url", "")) for link in page.get("link", ()) if link.get("relation") == "next"), "")


def _has_number(patient: Resource, number: str) -> bool:
    """Whether a Patient carries the number: a server that does not know the parameter answers with everybody."""
    return "id" in patient and any(
        system.casefold().replace("http:", "https:", 1) == NHS_NUMBER.casefold() and "".join(value.split()) == number
        for system, value in identifiers_of(patient)
    )
