"""Forms that several APIs share."""

import json


def sse(data: dict, named: bool = True) -> bytes:
    """A server-sent event; named: by its `type`."""
    head = f"event: {data['type']}\n" if named else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def text_in(content) -> str:
    """The text of a message: a string, or a list of parts of which some are text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def bearer(headers) -> str:
    return headers.get("authorization", "").removeprefix("Bearer ")


# Of OpenAI, and of those who speak its API: kind -> status, type, code, message.
OPENAI_ERRORS = {
    "rate_limit": (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    "quota": (429, "usage_limit_reached", "usage_limit_reached", "You've hit your usage limit."),
    "overload": (503, "server_error", "server_is_overloaded", "The server is overloaded, try again later."),
    "authentication": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-***."),
    "credit": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, check your plan and billing details."),
    "server": (500, "server_error", "server_error", "The server had an error while processing your request."),
    "invalid": (400, "invalid_request_error", "invalid_request", "Bad request."),
    "too_long": (400, "invalid_request_error", "context_length_exceeded", "Your input exceeds the context window of this model."),
}


def openai_refused(refusal) -> tuple[int, dict]:
    status, kind, code, message = OPENAI_ERRORS[refusal.kind]
    return refusal.status or status, {"error": {"message": refusal.message or message, "type": kind, "code": code, "param": None}}
