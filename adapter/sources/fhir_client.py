"""Asking a FHIR server for Bundles: with limits, with care about what is repeated, and with nothing of a record said.

Only GET is repeated (429, 502, 503, 504 and failures to connect; Retry-After is kept to). Redirects are not followed,
certificates are always checked, and no URL, answer or header comes into a log, an error or an Issue.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse
from urllib3.util.retry import Retry

from adapter.errors import AdapterError, CannotStart, Malformed, TooLarge
from adapter.records import Issue, Resource

ACCEPT = "application/fhir+json; fhirVersion=4.0"
LONGEST_WAIT = 30.0
"""Seconds that are waited before a GET is repeated, whatever the server asks for."""
_REPEATED = (429, 502, 503, 504)
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_CODES = {401: "login", 403: "forbidden", 404: "not-found", 408: "timeout", 410: "deleted", 429: "throttled"}


class ServerFailed(AdapterError):
    """The server did not give the record: it refused, failed or could not be reached. answered: its HTTP status."""

    status = 502

    def __init__(self, issue: Issue, answered: int = 0) -> None:
        super().__init__(issue)
        self.answered = answered


@dataclass(frozen=True, slots=True)
class Limits:
    """timeout: seconds to connect, and between two bytes. page_size: resources asked for at once."""

    timeout: float = 30.0
    page_size: int = 200
    max_pages: int = 100
    max_bytes: int = 100 * 1024 * 1024
    retries: int = 3


class _Bearer(requests.auth.AuthBase):
    """The bearer token, or nothing: and never what a .netrc has for the host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class CappedRetry(Retry):
    """Retries that wait as long as the server asks for, up to ``LONGEST_WAIT``."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        asked = super().get_retry_after(response)
        return None if asked is None else min(asked, LONGEST_WAIT)


def _nothing(_: logging.LogRecord) -> bool:
    """Drops what urllib3 logs: it holds URLs, and those of a record have the Patient's id in them."""
    return False


class FhirClient:
    """Asks one server. Counts pages and bytes over its life: one client is one pull.

    Raises CannotStart for a base URL that is not https (http only on this machine) or holds more than a base.
    """

    def __init__(self, base: str, token: str, limits: Limits) -> None:
        self.base, self.limits = _checked(base), limits
        self.pages = self.size = 0
        self._session = requests.Session()
        self._session.auth = _Bearer(token)
        self._session.headers["Accept"] = ACCEPT
        retry = CappedRetry(
            total=limits.retries,
            backoff_factor=0.5,
            backoff_max=LONGEST_WAIT,
            status_forcelist=_REPEATED,
            allowed_methods=frozenset({"GET"}),
            respect_retry_after_header=True,
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))
        for name in ("urllib3.connectionpool", "urllib3.util.retry"):
            logging.getLogger(name).addFilter(_nothing)

    def same_origin(self, url: str) -> bool:
        """Whether a URL is on the same scheme, host and port as the base."""
        return urlsplit(url)[:2] == urlsplit(self.base)[:2]

    def bundle(self, what: str, method: str, url: str, form: dict[str, str] | None = None) -> Resource:
        """The Bundle that the server answers. ``what`` names the request in messages; ``form`` is sent in the body."""
        self.pages += 1
        if self.pages > self.limits.max_pages:
            text = f"{what}: more than {self.limits.max_pages} pages (PERINATAL_SERVER_MAX_PAGES)"
            raise TooLarge(Issue("error", "too-long", text))
        try:
            page = orjson.loads(self._answer(what, method, url, form))
        except orjson.JSONDecodeError:
            page = None
        if not isinstance(page, dict) or page.get("resourceType") != "Bundle" or not _is_list_of_resources(page):
            text = f"{what}: what the server answered is not a FHIR Bundle"
            raise Malformed(Issue("error", "structure", text, "malformed", f"page {self.pages}"))
        return page

    def _answer(self, what: str, method: str, url: str, form: dict[str, str] | None) -> bytes:
        """The bytes of a good answer."""
        try:
            with self._session.request(
                method, url, data=form, timeout=self.limits.timeout, stream=True, allow_redirects=False
            ) as response:
                if response.status_code != HTTPStatus.OK:
                    raise _failure(what, response.status_code)
                data = bytearray()
                for chunk in response.iter_content(65536):
                    data += chunk
                    self.size += len(chunk)
                    if self.size > self.limits.max_bytes:
                        text = f"{what}: over the limit of {self.limits.max_bytes} bytes (PERINATAL_MAX_FILE_BYTES)"
                        raise TooLarge(Issue("error", "too-long", text))
                return bytes(data)
        except requests.Timeout:
            text = f"{what}: the server did not answer within {self.limits.timeout:g} seconds"
            raise ServerFailed(Issue("error", "timeout", text)) from None
        except requests.exceptions.SSLError:
            text = f"{what}: the server's certificate could not be verified"
            raise ServerFailed(Issue("error", "security", text)) from None
        except requests.RequestException as failed:
            text = f"{what}: the server could not be reached ({type(failed).__name__})"
            raise ServerFailed(Issue("error", "transient", text)) from None


def _checked(base: str) -> str:
    parts = urlsplit(base)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise CannotStart(Issue("fatal", "value", "--from-server takes the base URL of a FHIR server, https://…"))
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        raise CannotStart(Issue("fatal", "security", "a server on another machine is read over https only"))
    if parts.username or parts.password or parts.query or parts.fragment:
        raise CannotStart(Issue("fatal", "value", "the base URL holds a name, a query or a fragment: it must not"))
    return base.rstrip("/")


def _failure(what: str, status: int) -> ServerFailed:
    known = HTTPStatus(status).phrase if status in {one.value for one in HTTPStatus} else ""
    code = _CODES.get(status, "transient" if status >= 500 else "processing")
    text = f"{what}: the server answered HTTP {status} {known}".rstrip()
    return ServerFailed(Issue("error", code, text), status)


def _is_list_of_resources(page: Resource) -> bool:
    """Whether what is read of a page before it is checked in full has the right form."""
    entries, links = page.get("entry", []), page.get("link", [])
    return (
        isinstance(entries, list)
        and isinstance(links, list)
        and all(isinstance(link, dict) for link in links)
        and all(
            isinstance(entry, dict)
            and isinstance(entry.get("resource"), dict)
            and isinstance(entry["resource"].get("resourceType"), str)
            and isinstance(entry["resource"].get("id", ""), str)
            for entry in entries
        )
    )
