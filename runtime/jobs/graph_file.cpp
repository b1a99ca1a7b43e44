#include "runtime/jobs/graph_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

constexpr double max_seconds = 1e9;
constexpr Micros default_size = one;
constexpr std::array<std::string_view, 4> size_attributes{"seconds", "duration", "runtime", "weight"};
constexpr std::size_t most_levels = 64;
/// An edge between two groups stands for each pair of their nodes.
constexpr std::size_t most_edges = 4'000'000;

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// Collects tasks and edges under the names that the file uses, for both formats.
class PlanBuilder {
 public:
  explicit PlanBuilder(std::string file) : diagnostics_(file) {
    plan_.name = stem(file);
    plan_.source = std::move(file);
    plan_.traced = true;
  }

  std::uint32_t task(const std::string& name, Place place) {
    const auto [found, fresh] = positions_.emplace(name, static_cast<std::uint32_t>(plan_.tasks.size()));
    if (fresh) {
      PlannedTask& task = plan_.tasks.emplace_back();
      task.place = place;
      task.spec.name = task.spec.title = name;
      task.spec.kind = "task";
      task.spec.size = default_size;
      needs_.emplace_back();
    }
    return found->second;
  }
  std::optional<std::uint32_t> find(const std::string& name) const {
    const auto found = positions_.find(name);
    return found == positions_.end() ? std::nullopt : std::optional(found->second);
  }
  TaskSpec& spec(std::uint32_t task) { return plan_.tasks[task].spec; }
  void need(std::uint32_t task, std::uint32_t needed) { needs_[task].insert(needed); }
  void set_size(std::uint32_t task, std::string_view text, Place place) {
    const std::optional<double> value = number_in(text);
    const std::string subject = fmt::format("task {}: ", quoted(spec(task).name));
    if (!value || !(*value >= 0) || *value > max_seconds)
      add(place, fmt::format("{}{} is not a time", subject, quoted(text)), "write seconds from 0 to 1e9");
    else
      spec(task).size = to_micros(*value);
  }
  void add(Place place, std::string what, std::string fix) {
    diagnostics_.add(place, std::move(what), std::move(fix));
  }
  void name(std::string text) { plan_.name = std::move(text); }
  bool has_findings() const { return !diagnostics_.empty(); }

  /// Leaves out the task, which nothing needs and which needs nothing that matters.
  void leave_out(std::uint32_t task) { left_out_.insert(task); }

  Result<Plan> finish() {
    if (plan_.tasks.size() == left_out_.size()) add({1, 1}, "the graph has no tasks", "");
    if (!diagnostics_.empty()) return fail(diagnostics_.error());
    std::vector<std::uint32_t> place(plan_.tasks.size());
    std::vector<PlannedTask> kept;
    for (std::uint32_t t = 0; t < plan_.tasks.size(); ++t) {
      place[t] = static_cast<std::uint32_t>(kept.size());
      if (!left_out_.contains(t)) kept.push_back(std::move(plan_.tasks[t]));
    }
    for (std::uint32_t t = 0; t < place.size(); ++t)
      for (const std::uint32_t needed : needs_[t])
        if (!left_out_.contains(t) && !left_out_.contains(needed))
          kept[place[t]].needs.push_back({place[needed], false});
    plan_.tasks = std::move(kept);
    if (!check_cycles(plan_, diagnostics_)) return fail(diagnostics_.error());
    measure(plan_);
    return std::move(plan_);
  }

 private:
  Diagnostics diagnostics_;
  Plan plan_;
  std::vector<std::set<std::uint32_t>> needs_;
  std::map<std::string, std::uint32_t> positions_;
  std::set<std::uint32_t> left_out_;
};

/// Characters with their places.
class Source {
 public:
  explicit Source(std::string_view text) : text_(text) {}
  bool at_end() const { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  char take() {
    const char c = text_[at_++];
    if (c == '\n')
      ++place_.line, place_.column = 1;
    else
      ++place_.column;
    return c;
  }
  Place place() const { return place_; }
  bool at_line_start() const { return place_.column == 1; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  Place place_{1, 1};
};

struct Token {
  enum class Kind : std::uint8_t { end, id, quoted, sign, broken } kind = Kind::end;
  std::string text;
  Place place;
  bool is(std::string_view sign) const { return kind == Kind::sign && text == sign; }
  bool is_id() const { return kind == Kind::id || kind == Kind::quoted; }
  /// Keywords are not quoted, and in any case of letters.
  bool is_word(std::string_view word) const {
    return kind == Kind::id &&
           std::ranges::equal(text, word, {}, [](unsigned char c) { return std::tolower(c); });
  }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : source_(text) {}

  Token next() {
    skip_blanks();
    Token token{Token::Kind::end, "", source_.place()};
    if (source_.at_end()) return token;
    const char c = source_.peek();
    if (c == '"') return quoted_text(token);
    if (c == '<') return html_text(token);
    if (is_word_letter(c) || c == '.' || (c == '-' && is_number_next())) return word(token);
    token.kind = Token::Kind::sign;
    token.text = source_.take();
    if (c == '-' && (source_.peek() == '>' || source_.peek() == '-')) token.text += source_.take();
    return token;
  }

 private:
  static bool is_word_letter(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return std::isalnum(byte) || c == '_' || byte >= 0x80;
  }
  bool is_number_next() const {
    return std::isdigit(static_cast<unsigned char>(source_.peek(1))) || source_.peek(1) == '.';
  }
  void skip_line() {
    while (!source_.at_end() && source_.peek() != '\n') source_.take();
  }
  void skip_blanks() {
    while (!source_.at_end()) {
      const char c = source_.peek();
      if (std::isspace(static_cast<unsigned char>(c))) {
        source_.take();
      } else if ((c == '#' && source_.at_line_start()) || (c == '/' && source_.peek(1) == '/')) {
        skip_line();
      } else if (c == '/' && source_.peek(1) == '*') {
        source_.take(), source_.take();
        while (!source_.at_end() && !(source_.peek() == '*' && source_.peek(1) == '/')) source_.take();
        if (!source_.at_end()) source_.take(), source_.take();
      } else {
        return;
      }
    }
  }
  Token word(Token token) {
    token.kind = Token::Kind::id;
    do token.text += source_.take();
    while (is_word_letter(source_.peek()) || source_.peek() == '.');
    return token;
  }
  Token quoted_text(Token token) {
    source_.take();
    token.kind = Token::Kind::quoted;
    while (!source_.at_end() && source_.peek() != '"') {
      const char c = source_.take();
      if (c == '\\' && (source_.peek() == '"' || source_.peek() == '\\'))
        token.text += source_.take();
      else if (c == '\\' && source_.peek() == '\n')
        source_.take();
      else
        token.text += c;
    }
    if (source_.at_end()) return {Token::Kind::broken, "a text in quotes does not end", token.place};
    source_.take();
    return token;
  }
  Token html_text(Token token) {
    token.kind = Token::Kind::quoted;
    int depth = 0;
    do {
      if (source_.at_end()) return {Token::Kind::broken, "a text in < > does not end", token.place};
      const char c = source_.take();
      depth += c == '<' ? 1 : c == '>' ? -1 : 0;
      token.text += c;
    } while (depth > 0);
    return token;
  }

  Source source_;
};

/// Recursive descent over the grammar of DOT.
class DotReader {
 public:
  DotReader(std::string_view text, std::string file) : lexer_(text), builder_(std::move(file)) { advance(); }

  Result<Plan> read() {
    if (token_.is_word("strict")) advance();
    if (token_.is_word("graph"))
      builder_.add(token_.place, "an undirected graph does not say which task comes first",
                   "write digraph, with edges a -> b");
    else if (!token_.is_word("digraph"))
      builder_.add(token_.place, "a DOT file begins with digraph", "");
    if (builder_.has_findings()) return builder_.finish();
    advance();
    if (token_.is_id()) builder_.name(token_.text), advance();
    if (expect("{")) statements({}, 0);
    if (!builder_.has_findings() && expect("}") && token_.kind != Token::Kind::end)
      builder_.add(token_.place, "something stands after the graph's end", "one file holds one graph");
    return builder_.finish();
  }

 private:
  using Attributes = std::map<std::string, std::pair<std::string, Place>>;
  using Group = std::vector<std::uint32_t>;

  void advance() {
    token_ = lexer_.next();
    if (token_.kind == Token::Kind::broken) refuse(token_.text);
  }
  void refuse(const std::string& what) {
    if (!broken_) builder_.add(token_.place, what, "see https://graphviz.org/doc/info/lang.html");
    broken_ = true;
  }
  bool expect(std::string_view sign) {
    if (broken_) return false;
    if (!token_.is(sign)) {
      refuse(fmt::format("{} is missing here{}", quoted(sign),
                         token_.kind == Token::Kind::end ? "" : ", instead of " + quoted(token_.text)));
      return false;
    }
    advance();
    return true;
  }

  /// Up to the closing brace; the nodes that they name.
  Group statements(Attributes defaults, std::size_t depth) {
    Group named;
    if (depth > most_levels) refuse("subgraphs are nested too deeply");
    while (!broken_ && token_.kind != Token::Kind::end && !token_.is("}")) {
      if (token_.is(";")) {
        advance();
      } else if (token_.is_word("node") || token_.is_word("edge") || token_.is_word("graph")) {
        const bool of_nodes = token_.is_word("node");
        advance();
        for (auto& [key, value] : attributes())
          if (of_nodes) defaults[key] = value;
      } else {
        const Group group = edge_statement(defaults, depth);
        named.insert(named.end(), group.begin(), group.end());
      }
    }
    return named;
  }

  /// a, a -> b -> {c d}, or key = value.
  Group edge_statement(const Attributes& defaults, std::size_t depth) {
    Group all = operand(defaults, depth);
    bool has_edge = false;
    for (Group before = all; !broken_ && (token_.is("->") || token_.is("--"));) {
      if (token_.is("--")) refuse("an edge -- does not say which task comes first; write ->");
      advance();
      const Group after = operand(defaults, depth);
      edges_ += before.size() * after.size();
      if (edges_ > most_edges) refuse("the graph has more than 4,000,000 edges");
      if (broken_) break;
      for (const std::uint32_t a : before)
        for (const std::uint32_t b : after) builder_.need(b, a);
      all.insert(all.end(), after.begin(), after.end());
      before = after;
      has_edge = true;
    }
    const Attributes own = attributes();
    if (!has_edge)
      for (const std::uint32_t task : all) set(task, own);
    return all;
  }

  Group operand(const Attributes& defaults, std::size_t depth) {
    if (token_.is_word("subgraph")) {
      advance();
      if (token_.is_id()) advance();
      if (!token_.is("{")) return {};
    }
    if (token_.is("{")) {
      advance();
      Group group = statements(defaults, depth + 1);
      expect("}");
      return group;
    }
    if (!token_.is_id()) {
      refuse(token_.kind == Token::Kind::end ? "the graph does not end"
                                             : fmt::format("{} is not expected here", quoted(token_.text)));
      return {};
    }
    const Token id = token_;
    advance();
    if (token_.is("=")) {  // of the graph
      advance();
      advance();
      return {};
    }
    for (; token_.is(":"); advance()) advance();  // ports
    const bool fresh = !builder_.find(id.text);
    const std::uint32_t task = builder_.task(id.text, id.place);
    if (fresh) set(task, defaults);
    return {task};
  }

  Attributes attributes() {
    Attributes found;
    while (!broken_ && token_.is("[")) {
      advance();
      while (!broken_ && !token_.is("]")) {
        if (!token_.is_id()) refuse("an attribute is written name=value");
        const Token key = token_;
        advance();
        if (!expect("=")) break;
        if (!token_.is_id()) refuse(fmt::format("{} has no value", quoted(key.text)));
        found[key.text] = {token_.text, token_.place};
        advance();
        if (token_.is(",") || token_.is(";")) advance();
      }
      expect("]");
    }
    return found;
  }

  void set(std::uint32_t task, const Attributes& attributes) {
    const auto of = [&](std::string_view key) -> const std::pair<std::string, Place>* {
      const auto found = attributes.find(std::string(key));
      return found == attributes.end() ? nullptr : &found->second;
    };
    if (const auto* label = of("label"); label && !label->first.empty() && label->first != "\\N")
      builder_.spec(task).title = label->first;
    for (const std::string_view key : {"type", "kind"})
      if (const auto* kind = of(key); kind && !kind->first.empty()) builder_.spec(task).kind = kind->first;
    for (const std::string_view key : size_attributes)
      if (const auto* size = of(key)) return builder_.set_size(task, size->first, size->second);
  }

  Lexer lexer_;
  PlanBuilder builder_;
  Token token_;
  std::size_t edges_ = 0;
  bool broken_ = false;
};

/// Words of lines; lines that begin with # are comments.
class StgReader {
 public:
  StgReader(std::string_view text, std::string file) : source_(text), builder_(std::move(file)) {}

  Result<Plan> read() {
    const std::optional<std::uint64_t> count = whole("the number of tasks");
    if (!count) return builder_.finish();
    std::uint32_t last = 0;
    bool begins_with_dummy = false;
    while (!at_end() && !builder_.has_findings()) {
      last = read_task();
      if (tasks_ == 1) begins_with_dummy = builder_.spec(last).size == 0 && needs_nothing_;
    }
    if (builder_.has_findings()) return builder_.finish();
    if (tasks_ == *count + 2 && begins_with_dummy && builder_.spec(last).size == 0)
      builder_.leave_out(0), builder_.leave_out(last);
    else if (tasks_ != *count)
      builder_.add(
          {1, 1}, fmt::format("the first line says {}, but {} follow", counted(*count, "task"), tasks_),
          "the file has that many tasks, and may have two dummy tasks at its ends, which take no time");
    return builder_.finish();
  }

 private:
  bool at_end() {
    while (!source_.at_end()) {
      if (std::isspace(static_cast<unsigned char>(source_.peek())))
        source_.take();
      else if (source_.peek() == '#')
        while (!source_.at_end() && source_.peek() != '\n') source_.take();
      else
        return false;
    }
    return true;
  }
  std::string word() {
    std::string text;
    if (at_end()) return text;
    place_ = source_.place();
    while (!source_.at_end() && !std::isspace(static_cast<unsigned char>(source_.peek())))
      text += source_.take();
    return text;
  }
  std::optional<std::uint64_t> whole(std::string_view what) {
    const std::string text = word();
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (!text.empty() && error == std::errc() && end == text.data() + text.size()) return number;
    builder_.add(text.empty() ? source_.place() : place_,
                 text.empty() ? fmt::format("{} is missing", what)
                              : fmt::format("{} must be a whole number, not {}", what, quoted(text)),
                 "an STG line is: task, processing time, number of predecessors, predecessors");
    return {};
  }

  std::uint32_t read_task() {
    const auto id = whole("a task's number");
    if (!id) return 0;
    const Place place = place_;
    const std::string name = fmt::format("{}", *id);
    if (builder_.find(name)) builder_.add(place, fmt::format("task {} is defined twice", name), "");
    const std::uint32_t task = builder_.task(name, place);
    ++tasks_;
    const std::string time = word();
    builder_.set_size(task, time, place_);
    const auto count = whole("the number of predecessors");
    needs_nothing_ = count && *count == 0;
    for (std::uint64_t i = 0; count && i < *count && !builder_.has_findings(); ++i) {
      const auto needed = whole("a predecessor");
      if (!needed) break;
      if (const auto found = builder_.find(fmt::format("{}", *needed)))
        builder_.need(task, *found);
      else
        builder_.add(place_,
                     fmt::format("task {} needs task {}, which does not stand before it", name, *needed),
                     "predecessors come first");
    }
    return task;
  }

  Source source_;
  PlanBuilder builder_;
  Place place_;
  std::uint64_t tasks_ = 0;
  bool needs_nothing_ = false;
};

bool begins_as_dot(std::string_view text) {
  Lexer lexer(text);
  Token token = lexer.next();
  if (token.is_word("strict")) token = lexer.next();
  if (!token.is_word("digraph") && !token.is_word("graph")) return false;
  token = lexer.next();
  if (token.is_id()) token = lexer.next();
  return token.is("{");
}

}  // namespace

bool is_graph_file(std::string_view text, std::string_view file) {
  return file.ends_with(".dot") || file.ends_with(".gv") || file.ends_with(".stg") || begins_as_dot(text);
}

Result<Plan> read_graph_file(std::string_view text, std::string file) {
  if (file.ends_with(".stg")) return StgReader(text, std::move(file)).read();
  return DotReader(text, std::move(file)).read();
}

}  // namespace bidboard
