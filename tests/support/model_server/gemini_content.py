"""Google's Gemini API: POST /v1beta/models/MODEL:generateContent, and :streamGenerateContent with ?alt=sse."""

import re
from collections.abc import Iterator

from exchange import Answer, Refusal, Request, Tool, Usage
from http_forms import sse, text_in

NAME = "gemini"
CONTENT_TYPE = "text/event-stream"
PATH = re.compile(r"/v1(?:beta|alpha)?/models/([^:/]+):(generateContent|streamGenerateContent|countTokens)")
ERRORS = {
    "rate_limit": (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    "quota": (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."),
    "overload": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "authentication": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    "credit": (429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
    "server": (500, "INTERNAL", "An internal error has occurred."),
    "invalid": (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "too_long": (400, "INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens allowed."),
}


def fits(path: str) -> bool:
    return PATH.fullmatch(path) is not None


def counted(path: str) -> dict | None:
    return {"totalTokens": 1000} if path.endswith(":countTokens") else None


def read(path: str, headers, body: dict) -> Request:
    model, method = PATH.fullmatch(path).groups()
    contents = body.get("contents", [])
    said = [text_in(content.get("parts")) for content in contents if content.get("role", "user") == "user"]
    rounds = sum(1 for content in contents if content.get("role") == "model" and any("functionCall" in part for part in content["parts"]))
    tools = tuple(Tool(declared["name"]) for tool in body.get("tools", []) for declared in tool.get("functionDeclarations", []))
    return Request(NAME, model, method == "streamGenerateContent", tools, "\n".join(said), rounds, headers.get("x-goog-api-key", ""))


def usage_of(usage: Usage) -> dict:
    """Reasoning is not part of the candidates' tokens here."""
    return {"promptTokenCount": usage.all_input(), "candidatesTokenCount": usage.output - usage.reasoning,
            "cachedContentTokenCount": usage.cache_read, "thoughtsTokenCount": usage.reasoning, "totalTokenCount": usage.total()}


def response(parts: list[dict], answer: Answer, request: Request, **candidate) -> dict:
    return {"candidates": [{"index": 0, "content": {"role": "model", "parts": parts}, **candidate}], "modelVersion": request.model,
            "responseId": "response-" + answer.id}


def calls_of(answer: Answer) -> list[dict]:
    return [{"functionCall": {"name": call.tool.name, "args": call.input}} for call in answer.calls]


def whole(answer: Answer, request: Request) -> dict:
    parts = [{"text": answer.text()}] if answer.pieces else []
    return {**response(parts + calls_of(answer), answer, request, finishReason="STOP"), "usageMetadata": usage_of(answer.usage)}


def events(answer: Answer, request: Request) -> Iterator[bytes]:
    for piece in answer.pieces:
        yield sse(response([{"text": piece}], answer, request), named=False)
    last = response(calls_of(answer) or [{"text": ""}], answer, request, finishReason="STOP")
    yield sse({**last, "usageMetadata": usage_of(answer.usage)}, named=False)


def refused(refusal: Refusal) -> tuple[int, dict]:
    status, word, message = ERRORS[refusal.kind]
    code = refusal.status or status
    error = {"code": code, "message": refusal.message or message, "status": word, "details": []}
    if refusal.retry_after is not None:
        error["details"].append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{refusal.retry_after}s"})
    return code, {"error": error}
