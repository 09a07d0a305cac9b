"""``/docs``: the calls as a page to read, made of the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from adapter.pages import render


def docs_page(api: dict[str, Any]) -> str:
    """The page; ``api`` is the OpenAPI document."""
    return render("api.html", title=api["info"]["title"], api=api, calls=list(_calls(api)))


def _calls(api: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in api["paths"].items():
        for method, call in methods.items():
            yield {
                "anchor": re.sub(r"\W+", "-", f"{method} {path}").strip("-"),
                "method": method.upper(),
                "path": path,
                "summary": call["summary"],
                "description": call.get("description", ""),
                "parameters": [{"description": "", "examples": {}, **each} for each in call.get("parameters", ())],
                "bodies": list(_bodies(call.get("requestBody", {}).get("content", {}))),
                "answers": [{"status": status, **each} for status, each in call["responses"].items()],
            }


def _bodies(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The kinds of body that are described alike as one."""
    alike: dict[bytes, list[str]] = {}
    for media, body in content.items():
        alike.setdefault(orjson.dumps(body), []).append(media)
    for medias in alike.values():
        body = content[medias[0]]
        examples = [{"summary": each["summary"], "text": _text(each["value"])} for each in body["examples"].values()]
        yield {"media": ", ".join(medias), "description": body["schema"]["description"], "examples": examples}


def _text(value: object) -> str:
    """An example as it is written; the segments of a message on a line each."""
    return (
        value.replace("\r", "\n")
        if isinstance(value, str)
        else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    )
