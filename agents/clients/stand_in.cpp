#include "agents/clients/stand_in.hpp"

#include <optional>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

using Kind = StandInStep::Kind;

constexpr Micros price_of_a_task = 10'000;
constexpr std::size_t bytes_per_token = 4;

struct Rule {
  std::string_view begin;
  Kind kind;
};
constexpr Rule rules[] = {
    {"write ", Kind::write},
    {"append ", Kind::append},
    {"    git checkout --detach ", Kind::checkout},
    {"    git merge ", Kind::merge},
};

bool is_one_word(std::string_view text) { return !text.empty() && text.find_first_of(" \t\r") == text.npos; }

/// Whether a path stays below the folder that it begins in.
bool is_below(std::string_view path) {
  if (!is_one_word(path) || path.front() == '/' || path.back() == '/') return false;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (const std::string_view part = path.substr(at, end - at); part == ".." || part == ".git") return false;
    at = end + 1;
  }
  return true;
}

std::optional<StandInStep> step_of(std::string_view line) {
  for (const auto& [begin, kind] : rules) {
    if (!line.starts_with(begin)) continue;
    const std::string_view rest = line.substr(begin.size());
    if (kind == Kind::checkout || kind == Kind::merge) {
      if (!is_one_word(rest) || rest.front() == '-') return {};
      return StandInStep{kind, std::string(rest), {}};
    }
    const std::size_t colon = rest.find(": ");
    if (colon == rest.npos || !is_below(rest.substr(0, colon))) return {};
    return StandInStep{kind, std::string(rest.substr(0, colon)), std::string(rest.substr(colon + 2)) + "\n"};
  }
  return {};
}

std::string notes_on(std::string_view prompt) {
  std::string out = "This is a rehearsal: no model was asked. A real client would have been given:\n\n> ";
  while (prompt.ends_with('\n')) prompt.remove_suffix(1);
  for (const char c : prompt) {
    out += c;
    if (c == '\n') out += "> ";
  }
  return out + "\n";
}

std::string told(const StandInStep& step) {
  switch (step.kind) {
    case Kind::write:
      return "wrote " + step.subject;
    case Kind::append:
      return "added to " + step.subject;
    case Kind::checkout:
      return "went to " + step.subject;
    case Kind::merge:
      return fmt::format("merged {}, keeping both sides of what is in conflict", step.subject);
  }
  return {};
}

}  // namespace

std::vector<StandInStep> stand_in_steps(std::string_view prompt, std::string_view task) {
  std::vector<StandInStep> steps;
  for (std::size_t at = 0; at < prompt.size();) {
    const std::size_t end = std::min(prompt.find('\n', at), prompt.size());
    if (std::optional<StandInStep> step = step_of(prompt.substr(at, end - at)))
      steps.push_back(std::move(*step));
    at = end + 1;
  }
  if (steps.empty()) steps.push_back({Kind::write, fmt::format("notes/{}.md", task), notes_on(prompt)});
  return steps;
}

std::string command_of(const StandInStep& step) {
  if (step.kind == Kind::checkout) return "git checkout --detach " + step.subject;
  return step.kind == Kind::merge ? "git merge " + step.subject : std::string();
}

StandInWork stand_in_work(std::vector<StandInStep> steps, std::string_view prompt) {
  StandInWork work;
  std::size_t written = 0;
  for (const StandInStep& step : steps) {
    work.answer += (work.answer.empty() ? "Rehearsed by a stand-in: " : "; ") + told(step);
    written += step.text.size();
  }
  work.answer += work.answer.empty() ? "Rehearsed by a stand-in." : ".";
  work.steps = std::move(steps);
  work.price = price_of_a_task;
  work.tokens_in = static_cast<std::int64_t>(prompt.size() / bytes_per_token) + 1;
  work.tokens_out = static_cast<std::int64_t>((written + work.answer.size()) / bytes_per_token) + 1;
  return work;
}

}  // namespace bidboard
