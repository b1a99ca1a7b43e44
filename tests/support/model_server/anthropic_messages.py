"""Anthropic's messages API: POST /v1/messages."""

import json
from collections.abc import Iterator

from exchange import Answer, Refusal, Request, Tool, Usage
from http_forms import sse, text_in

NAME = "anthropic"
CONTENT_TYPE = "text/event-stream"
ERRORS = {
    "rate_limit": (429, "rate_limit_error", "This request would exceed your organization's rate limit."),
    "quota": (429, "rate_limit_error", "You've hit your session limit"),
    "overload": (529, "overloaded_error", "Overloaded"),
    "authentication": (401, "authentication_error", "invalid x-api-key"),
    "credit": (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    "server": (500, "api_error", "Internal server error"),
    "invalid": (400, "invalid_request_error", "Bad request"),
    "too_long": (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
}


def fits(path: str) -> bool:
    return path in ("/v1/messages", "/v1/messages/count_tokens")


def read(path: str, headers, body: dict) -> Request:
    messages = body.get("messages", [])
    said = [text_in(message.get("content")) for message in messages if message.get("role") == "user"]
    rounds = sum(1 for message in messages if message.get("role") == "assistant" and isinstance(message.get("content"), list)
                 and any(block.get("type") == "tool_use" for block in message["content"]))
    tools = tuple(Tool(tool["name"]) for tool in body.get("tools", []))
    key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    return Request(NAME, body.get("model", ""), bool(body.get("stream")), tools, "\n".join(said), rounds, key)


def counted(path: str) -> dict | None:
    return {"input_tokens": 1000} if path.endswith("/count_tokens") else None


def usage_of(usage: Usage, output: int) -> dict:
    return {"input_tokens": usage.input, "output_tokens": output, "cache_read_input_tokens": usage.cache_read,
            "cache_creation_input_tokens": usage.cache_write}


def blocks_of(answer: Answer) -> list[dict]:
    texts = [{"type": "text", "text": answer.text()}] if answer.pieces else []
    return texts + [{"type": "tool_use", "id": "toolu_" + call.id, "name": call.tool.name, "input": call.input} for call in answer.calls]


def whole(answer: Answer, request: Request) -> dict:
    return {"id": "msg_" + answer.id, "type": "message", "role": "assistant", "model": request.model, "content": blocks_of(answer),
            "stop_reason": "tool_use" if answer.calls else "end_turn", "stop_sequence": None,
            "usage": usage_of(answer.usage, answer.usage.output)}


def events(answer: Answer, request: Request) -> Iterator[bytes]:
    message = whole(answer, request)
    started = {**message, "content": [], "stop_reason": None, "usage": usage_of(answer.usage, 1)}
    yield sse({"type": "message_start", "message": started})
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            empty = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in answer.pieces]
        else:
            empty = {**block, "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
        yield sse({"type": "content_block_start", "index": index, "content_block": empty})
        for delta in deltas:
            yield sse({"type": "content_block_delta", "index": index, "delta": delta})
        yield sse({"type": "content_block_stop", "index": index})
    yield sse({"type": "message_delta", "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
               "usage": message["usage"]})
    yield sse({"type": "message_stop"})


def refused(refusal: Refusal) -> tuple[int, dict]:
    status, kind, message = ERRORS[refusal.kind]
    return refusal.status or status, {"type": "error", "error": {"type": kind, "message": refusal.message or message}}
