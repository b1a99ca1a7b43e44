// The clients that client.cpp lists; one file each.
#pragma once

#include "agents/clients/client.hpp"

namespace bidboard {

extern const CodingClient claude;
extern const CodingClient codex;
extern const CodingClient gemini;
extern const CodingClient opencode;
extern const CodingClient aider;

}  // namespace bidboard
