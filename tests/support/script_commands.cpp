#include "tests/support/script_commands.hpp"

#include <cstdlib>
#include <stdexcept>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "tests/support/script_runner.hpp"

namespace bidboard::script {

Words::Words(const std::string& line) {
  std::string word;
  bool quoted = false;
  const auto end_word = [&] {
    const std::size_t equals = word.find('=');
    const bool is_named = equals != std::string::npos && equals > 0 && word.find_first_of("<>") > equals;
    if (is_named)
      named_[word.substr(0, equals)] = word.substr(equals + 1);
    else if (!word.empty())
      bare_.push_back(word);
    word.clear();
  };
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ' ' && !quoted)
      end_word();
    else
      word += c;
  }
  end_word();
  if (bare_.empty()) throw std::runtime_error("a line without a command");
}

const std::string& Words::word(std::size_t place) const {
  if (place >= bare_.size()) throw std::runtime_error(verb() + ": a word is missing");
  return bare_[place];
}

std::string Words::take(const std::string& name, const std::string& otherwise) {
  const auto found = named_.find(name);
  if (found == named_.end()) return otherwise;
  std::string value = found->second;
  named_.erase(found);
  return value;
}

void Words::no_more() const {
  if (!named_.empty())
    throw std::runtime_error(fmt::format("{} does not know '{}'", verb(), named_.begin()->first));
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find(separator, from), text.size());
    parts.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

std::int64_t whole(const std::string& text) {
  char* end = nullptr;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0') throw std::runtime_error(fmt::format("'{}' is not a whole number", text));
  return value;
}

Micros micros(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') throw std::runtime_error(fmt::format("'{}' is not a number", text));
  return to_micros(value);
}

Duration duration(const std::string& text) {
  if (text.starts_with('-')) return Duration{} - duration(text.substr(1));
  const Result<Duration> parsed = parse_duration(text);
  if (!parsed) throw std::runtime_error(parsed.error().text);
  return *parsed;
}

template <class IdType>
IdType id(const std::string& text) {
  const auto parsed = parse_id<IdType>(text);
  if (!parsed) throw std::runtime_error(fmt::format("'{}' is no id of that kind", text));
  return *parsed;
}
template TaskId id<TaskId>(const std::string&);
template AgentId id<AgentId>(const std::string&);
template WorkflowId id<WorkflowId>(const std::string&);

Need need(const std::string& text) {
  const bool any = text.ends_with('?');
  return {id<TaskId>(any ? text.substr(0, text.size() - 1) : text), any};
}

std::vector<Skill> skills(const std::string& text) {
  std::vector<Skill> out;
  for (const std::string& part : split(text, ',')) {
    const std::size_t colon = part.find(':');
    out.push_back({part.substr(0, colon), colon == std::string::npos ? one : micros(part.substr(colon + 1))});
  }
  return out;
}

std::vector<SkillNeed> skill_needs(const std::string& text) {
  std::vector<SkillNeed> out;
  for (const Skill& skill : skills(text)) out.push_back({skill.name, skill.level == one ? 0 : skill.level});
  return out;
}

std::string auction_of(const Snapshot& snapshot, TaskId task) {
  std::string last;
  const Result<void> read =
      snapshot.scan(keys::decisions_of(task), {}, [&](std::string_view key, std::string_view) {
        last = keys::auction(keys::last_id<AuctionId>(key));
        return true;
      });
  if (!read) return read.error().text + "\n";
  if (last.empty()) return "none\n";
  const Seq seq{read_big_endian(snapshot.get(last).value().value(), 0)};
  const Event event = unseal<Event>(snapshot.get(keys::event(seq)).value().value()).value();
  const Auction& auction = *auction_in(event);
  std::string out =
      fmt::format("{} {}{}: {}\n", auction.id, auction.mechanism,
                  (auction.winner ? " won by " + to_string(auction.winner) : " without winner"), auction.why);
  for (const RecordedBid& bid : auction.bids)
    out +=
        fmt::format("  {} bid {}s price {}, believed {}s, free in {}s, score {}\n", bid.agent,
                    format_micros(bid.seconds), format_micros(bid.price),
                    format_micros(bid.corrected_seconds), format_micros(bid.wait), format_micros(bid.score));
  for (const RecordedRefusal& refusal : auction.refusals) {
    out += fmt::format("  refused, {}:", refusal.reason);
    for (std::size_t i = 0; i < refusal.agents.size(); ++i)
      out += fmt::format(" {}{}", refusal.agents[i],
                         (refusal.details.empty() ? "" : " (" + refusal.details[i] + ")"));
    out += refusal.details.empty() ? fmt::format(" ({})\n", refusal.detail) : "\n";
  }
  return out;
}

}  // namespace bidboard::script
