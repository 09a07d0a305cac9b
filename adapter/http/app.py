"""The FHIR operations over HTTP. Every error is an OperationOutcome; nothing of a record is logged.

A record is evaluated in the event loop, which takes a millisecond or two; a large body in a thread of its own,
so that everybody else is answered meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from adapter.bootstrap import Adapter
from adapter.errors import AdapterError, Malformed, TooLarge, refused_status
from adapter.fhir.outcome import operation_outcome
from adapter.fhir.profiles import bundle_with_profiles
from adapter.http.capability import OPERATIONS, capability_statement
from adapter.http.definitions import add_definitions
from adapter.http.described import operation, plain
from adapter.http.docs_page import docs_page
from adapter.http.request import Call, read_call
from adapter.pipeline import Result, check, evaluate_all, refusal
from adapter.records import Issue, MappedBundle
from adapter.together import read_raws

BASE = "/fhir/R4"
INLINE_BYTES = 128 * 1024
"""Of a larger body the records are read and evaluated in a thread."""
JSON = "application/json"
READY = "It can; the pack and version in use, and under refused what is wrong with content that has been changed since"
ISSUE_CODES = {404: "not-found", 405: "not-supported", 406: "not-supported", 413: "too-long", 415: "not-supported"}


class FhirResponse(Response):
    media_type = "application/fhir+json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


def create_app(adapter: Adapter | None = None) -> FastAPI:
    """The application; raises CannotStart where a content file is wrong."""
    wired = adapter or Adapter()
    wired.content()
    app = FastAPI(
        title="Perinatal referral adapter",
        description="Records go in as FHIR R4 or HL7 v2; who should be referred where, how soon and why comes out.",
        default_response_class=FhirResponse,
        docs_url=None,
        redoc_url=None,
    )

    def outcome(status: int, *issues: Issue) -> Response:
        return FhirResponse(operation_outcome(issues, wired.base), status)

    @app.exception_handler(AdapterError)
    async def adapter_error(_: Request, error: AdapterError) -> Response:
        return outcome(error.status, *error.issues)

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> Response:
        code = ISSUE_CODES.get(error.status_code, "processing")
        answer = outcome(error.status_code, Issue("error", code, str(error.detail)))
        answer.headers.update(error.headers or {})
        return answer

    @app.middleware("http")
    async def last_resort(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            return await call(request)
        except Exception as failed:  # whatever it is, it must not show a record
            return outcome(
                500, Issue("fatal", "exception", f"internal error ({type(failed).__name__}); nothing was sent")
            )

    @app.post(
        f"{BASE}/$evaluate-referrals",
        **operation(
            OPERATIONS["evaluate-referrals"], "The result Bundle; for several records a Bundle of them", decides=True
        ),
    )
    async def evaluate_referrals(request: Request) -> Response:
        call = await _call(request, wired)
        today = datetime.now(ZoneInfo("Europe/London")).date()
        wired.content(call.provider)

        def evaluated() -> Response:
            records = (record for _, record in read_raws(wired, call.records))
            return _answer(list(evaluate_all(wired, records, call.as_of or today, call.provider, at=call.at)))

        return await _done(evaluated, call)

    @app.post(
        f"{BASE}/$convert",
        **operation(OPERATIONS["convert"], "The converted Bundle; for several records a Bundle of them", decides=False),
    )
    async def convert(request: Request) -> Response:
        call = await _call(request, wired)

        def converted() -> Response:
            return _answer([_converted(record, wired) for _, record in read_raws(wired, call.records)])

        return await _done(converted, call)

    @app.get(f"{BASE}/metadata", **plain("What this server can do.", "The CapabilityStatement", "Definitions"))
    async def metadata() -> Response:
        return FhirResponse(capability_statement(wired.base, wired.content().pack.version))

    add_definitions(app, wired, BASE)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(docs_page(app.openapi()), media_type="text/html")

    @app.get("/health/live", **plain("Whether it runs.", "It runs", "Health", JSON))
    async def live() -> Response:
        return Response(b'{"status":"live"}', media_type=JSON)

    @app.get("/health/ready", **plain("Whether it can decide.", READY, "Health", JSON))
    async def ready() -> Response:
        pack = wired.content().pack
        await asyncio.sleep(0)
        pack.evaluate({}, date(2026, 1, 1))
        body = {"status": "ready", "pack": pack.name, "version": pack.version}
        if wired.refused:
            body["refused"] = wired.refused
        return Response(orjson.dumps(body), media_type=JSON)

    return app


async def _call(request: Request, adapter: Adapter) -> Call:
    limit = adapter.settings.max_body_bytes
    if int(request.headers.get("content-length") or 0) > limit:
        raise TooLarge(Issue("error", "too-long", f"the body is over the limit of {limit} bytes"))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(Issue("error", "too-long", f"the body is over the limit of {limit} bytes"))
    return read_call(bytes(body), request.headers.get("content-type", ""), request.query_params.multi_items())


async def _done(work: Callable[[], Response], call: Call) -> Response:
    large = sum(len(record.data) for record in call.records) > INLINE_BYTES
    return await run_in_threadpool(work) if large else work()


def _converted(record: MappedBundle | AdapterError, adapter: Adapter) -> Result:
    if isinstance(record, AdapterError):
        return refusal(adapter, "", record.issues, record.status)
    checked = check(record)
    if checked.refused:
        return refusal(adapter, record.source, checked.issues, refused_status(checked.issues))
    return Result(record.source, bundle=bundle_with_profiles(checked.bundle))


def _answer(results: list[Result]) -> Response:
    """One record: its Bundle, or its OperationOutcome with its status. Several: a Bundle with an entry for each."""
    if not results:
        raise Malformed(Issue("error", "structure", "the body holds no record", "malformed"))
    if len(results) == 1:
        only = results[0]
        return FhirResponse(only.bundle or only.outcome, only.status)
    from adapter.fhir.ids import stable_id

    entries = []
    for number, result in enumerate(results):
        resource = result.bundle or result.outcome or {}
        identity = resource.get("id") or stable_id("entry", str(number))
        entries.append({"fullUrl": f"urn:uuid:{identity}", "resource": resource})
    return FhirResponse({"resourceType": "Bundle", "type": "collection", "entry": entries})
