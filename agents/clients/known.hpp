// The clients that client.cpp lists; one file each, but for the two of chat.cpp.
#pragma once

#include "agents/clients/client.hpp"

namespace bidboard {

extern const CodingClient claude;
extern const CodingClient codex;
extern const CodingClient gemini;
extern const CodingClient opencode;
extern const CodingClient aider;
extern const CodingClient openai;
extern const CodingClient ollama;

}  // namespace bidboard
