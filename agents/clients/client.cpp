#include "agents/clients/client.hpp"

#include <algorithm>
#include <array>

#include "agents/clients/known.hpp"

namespace bidboard {

std::span<const CodingClient> coding_clients() {
  static const std::array all{claude, codex, gemini, opencode, aider, openai, ollama};
  return all;
}

const CodingClient* find_coding_client(std::string_view name) {
  const auto found = std::ranges::find(coding_clients(), name, &CodingClient::name);
  return found == coding_clients().end() ? nullptr : &*found;
}

}  // namespace bidboard
