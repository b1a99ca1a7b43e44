"""OpenAI's responses API: POST /v1/responses."""

import json
from collections.abc import Iterator

from exchange import Answer, Call, Request, Tool, Usage
from http_forms import bearer, openai_refused, sse, text_in

NAME = "openai-responses"
CONTENT_TYPE = "text/event-stream"
CALLS = ("function_call", "custom_tool_call", "local_shell_call")
refused = openai_refused


def fits(path: str) -> bool:
    return path in ("/v1/responses", "/responses")


def counted(path: str) -> None:
    return None


def tools_in(listed: list, namespace: str = "") -> Iterator[Tool]:
    for tool in listed:
        if tool.get("type") == "namespace":
            yield from tools_in(tool.get("tools", []), tool["name"])
        elif "name" in tool:
            yield Tool(tool["name"], namespace, tool.get("type") == "custom")


def read(path: str, headers, body: dict) -> Request:
    given = body.get("input", [])
    items = [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given
    said = [text_in(item.get("content")) for item in items if item.get("role") == "user"]
    # Parallel calls stand side by side.
    kinds = [item.get("type") in CALLS for item in items]
    rounds = sum(1 for at, is_call in enumerate(kinds) if is_call and not (at > 0 and kinds[at - 1]))
    return Request(NAME, body.get("model", ""), bool(body.get("stream")), tuple(tools_in(body.get("tools", []))), "\n".join(said), rounds,
                   bearer(headers))


def usage_of(usage: Usage) -> dict:
    """Cached tokens are part of the input here."""
    return {"input_tokens": usage.all_input(), "input_tokens_details": {"cached_tokens": usage.cache_read}, "output_tokens": usage.output,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning}, "total_tokens": usage.total()}


def message_of(answer: Answer) -> dict:
    return {"type": "message", "id": "msg_" + answer.id, "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": answer.text(), "annotations": []}]}


def call_item(call: Call) -> dict:
    if call.tool.freeform:
        return {"type": "custom_tool_call", "id": "ctc_" + call.id, "call_id": call.id, "name": call.tool.name, "input": call.input["input"],
                "status": "completed"}
    item = {"type": "function_call", "id": "fc_" + call.id, "call_id": call.id, "name": call.tool.name, "arguments": json.dumps(call.input),
            "status": "completed"}
    return {**item, "namespace": call.tool.namespace} if call.tool.namespace else item


def whole(answer: Answer, request: Request) -> dict:
    texts = [message_of(answer)] if answer.pieces else []
    return {"id": "resp_" + answer.id, "object": "response", "created_at": 1, "status": "completed", "model": request.model, "error": None,
            "output": texts + [call_item(call) for call in answer.calls], "usage": usage_of(answer.usage)}


def events(answer: Answer, request: Request) -> Iterator[bytes]:
    response = whole(answer, request)
    yield sse({"type": "response.created", "response": {**response, "status": "in_progress", "output": [], "usage": None}})
    for index, item in enumerate(response["output"]):
        at = {"output_index": index, "item_id": item["id"]}
        if item["type"] == "message":
            yield sse({"type": "response.output_item.added", "output_index": index, "item": {**item, "content": [], "status": "in_progress"}})
            for piece in answer.pieces:
                yield sse({"type": "response.output_text.delta", **at, "content_index": 0, "delta": piece})
            yield sse({"type": "response.output_text.done", **at, "content_index": 0, "text": answer.text()})
        else:
            yield sse({"type": "response.output_item.added", "output_index": index, "item": {**item, "status": "in_progress"}})
        yield sse({"type": "response.output_item.done", "output_index": index, "item": item})
    yield sse({"type": "response.completed", "response": response})
