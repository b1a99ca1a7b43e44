"""OpenAI's chat completions, which many others speak too: POST /v1/chat/completions."""

import json
from collections.abc import Iterator

from exchange import Answer, Request, Tool, Usage
from http_forms import bearer, openai_refused, sse, text_in

NAME = "openai-chat"
CONTENT_TYPE = "text/event-stream"
refused = openai_refused


def fits(path: str) -> bool:
    return path in ("/v1/chat/completions", "/chat/completions")


def counted(path: str) -> None:
    return None


def read(path: str, headers, body: dict) -> Request:
    messages = body.get("messages", [])
    said = [text_in(message.get("content")) for message in messages if message.get("role") == "user"]
    rounds = sum(1 for message in messages if message.get("role") == "assistant" and message.get("tool_calls"))
    tools = tuple(Tool(tool["function"]["name"]) for tool in body.get("tools", []))
    wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    return Request(NAME, body.get("model", ""), bool(body.get("stream")), tools, "\n".join(said), rounds, bearer(headers), wants_usage)


def usage_of(usage: Usage) -> dict:
    return {"prompt_tokens": usage.all_input(), "prompt_tokens_details": {"cached_tokens": usage.cache_read},
            "completion_tokens": usage.output, "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
            "total_tokens": usage.total()}


def calls_of(answer: Answer) -> list[dict]:
    return [{"index": index, "id": call.id, "type": "function", "function": {"name": call.tool.name, "arguments": json.dumps(call.input)}}
            for index, call in enumerate(answer.calls)]


def whole(answer: Answer, request: Request) -> dict:
    message = {"role": "assistant", "content": answer.text() or None}
    if answer.calls:
        message["tool_calls"] = calls_of(answer)
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if answer.calls else "stop"}
    return {"id": "chatcmpl-" + answer.id, "object": "chat.completion", "created": 1, "model": request.model, "choices": [choice],
            "usage": usage_of(answer.usage)}


def events(answer: Answer, request: Request) -> Iterator[bytes]:
    def chunk(delta: dict | None, finish: str | None = None, **more) -> bytes:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        data = {"id": "chatcmpl-" + answer.id, "object": "chat.completion.chunk", "created": 1, "model": request.model, "choices": choices}
        return sse({**data, **more}, named=False)

    yield chunk({"role": "assistant", "content": ""})
    for piece in answer.pieces:
        yield chunk({"content": piece})
    for call in calls_of(answer):
        yield chunk({"tool_calls": [call]})
    yield chunk({}, "tool_calls" if answer.calls else "stop")
    if request.wants_usage:
        yield chunk(None, usage=usage_of(answer.usage))
    yield b"data: [DONE]\n\n"
