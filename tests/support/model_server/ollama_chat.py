"""Ollama: POST /api/chat. Streams are JSON lines, and the default."""

import json
from collections.abc import Iterator

from exchange import Answer, Refusal, Request, Tool
from http_forms import bearer, text_in

NAME = "ollama"
CONTENT_TYPE = "application/x-ndjson"
ERRORS = {
    "rate_limit": (429, "too many requests"),
    "quota": (429, "you have reached your weekly usage limit"),
    "overload": (503, "server busy, please try again. maximum pending requests exceeded"),
    "authentication": (401, "unauthorized"),
    "credit": (402, "payment required"),
    "server": (500, "model runner has unexpectedly stopped"),
    "invalid": (400, "invalid request"),
    "too_long": (400, "the input length exceeds the context length"),
}


def fits(path: str) -> bool:
    return path == "/api/chat"


def counted(path: str) -> None:
    return None


def read(path: str, headers, body: dict) -> Request:
    messages = body.get("messages", [])
    said = [text_in(message.get("content")) for message in messages if message.get("role") == "user"]
    rounds = sum(1 for message in messages if message.get("role") == "assistant" and message.get("tool_calls"))
    tools = tuple(Tool(tool["function"]["name"]) for tool in body.get("tools") or [])
    return Request(NAME, body.get("model", ""), body.get("stream", True) is not False, tools, "\n".join(said), rounds, bearer(headers))


def part(request: Request, message: dict, **more) -> dict:
    return {"model": request.model, "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": "", **message},
            "done": bool(more), **more}


def calls_of(answer: Answer) -> dict:
    calls = [{"function": {"name": call.tool.name, "arguments": call.input}} for call in answer.calls]
    return {"tool_calls": calls} if calls else {}


def ending(answer: Answer) -> dict:
    return {"done_reason": "stop", "total_duration": 1, "prompt_eval_count": answer.usage.all_input(), "eval_count": answer.usage.output}


def whole(answer: Answer, request: Request) -> dict:
    return part(request, {"content": answer.text(), **calls_of(answer)}, **ending(answer))


def events(answer: Answer, request: Request) -> Iterator[bytes]:
    parts = [part(request, {"content": piece}) for piece in answer.pieces]
    if answer.calls:
        parts.append(part(request, calls_of(answer)))
    parts.append(part(request, {}, **ending(answer)))
    for line in parts:
        yield json.dumps(line).encode() + b"\n"


def refused(refusal: Refusal) -> tuple[int, dict]:
    status, message = ERRORS[refusal.kind]
    return refusal.status or status, {"error": refusal.message or message}
