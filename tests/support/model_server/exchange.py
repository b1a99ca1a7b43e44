"""What a client asks and what the server answers, in no API's own words. Each API has a module that translates."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tool:
    """A tool that the client offers. `namespace`: what OpenAI's responses API groups tools under; `freeform`: takes text, not JSON."""
    name: str
    namespace: str = ""
    freeform: bool = False


@dataclass(frozen=True)
class Request:
    api: str
    model: str
    streamed: bool
    tools: tuple[Tool, ...]
    prompt: str  # all that the user said, tool results aside
    rounds: int  # answers with tool calls that the conversation has already
    key: str  # of the caller; never logged
    wants_usage: bool = True  # in streams of OpenAI's chat API it must be asked for


@dataclass(frozen=True)
class Usage:
    """Tokens. `input` is without those read from the cache or written to it, `output` includes the reasoning."""
    input: int = 1000
    output: int = 50
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    def all_input(self) -> int:
        return self.input + self.cache_read + self.cache_write

    def total(self) -> int:
        return self.all_input() + self.output


@dataclass(frozen=True)
class Call:
    tool: Tool
    input: dict
    id: str


@dataclass(frozen=True)
class Answer:
    """Text in pieces, as a stream sends them; then the calls. Clients take answers of one id for one answer."""
    id: str
    pieces: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    usage: Usage = field(default_factory=Usage)

    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True)
class Refusal:
    """An error of a provider. Status, type and message are the API's own for this kind, unless the script says otherwise."""
    kind: str
    message: str = ""
    status: int = 0
    retry_after: int | None = None  # seconds


KINDS = ("rate_limit", "quota", "overload", "authentication", "credit", "server", "invalid", "too_long")
