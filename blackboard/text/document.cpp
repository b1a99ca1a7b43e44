#include "blackboard/text/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <istream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <streambuf>

#include "blackboard/fmt.hpp"
#include "blackboard/numbers.hpp"
#include "blackboard/text/document_builder.hpp"
#include "blackboard/text/utf8.hpp"

namespace bidboard {
namespace {

using namespace document;

constexpr std::size_t max_bytes = 64u << 20;
/// yaml-cpp reads a flow collection to its end before it reports its beginning, at up to 240 bytes of memory
/// per byte of text; so that much text may pass without an event.
constexpr std::size_t max_yaml_lookahead = 1u << 20;

Error error_at(Place place, const std::string& why) {
  return {Errc::invalid, fmt::format("{}: {}", at(place), why)};
}

/// What both formats ask of the bytes before a parser sees them.
Result<std::string_view> checked_text(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (text.size() > max_bytes)
    return fail(Errc::invalid, fmt::format("1:1: the text has {} MB; at most {} MB are read",
                                           text.size() >> 20, max_bytes >> 20));
  Place place{1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return fail(error_at(place, "not UTF-8"));
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r')
      return fail(error_at(place, fmt::format("a control character (byte {})", byte)));
    i += length;
    place = byte == '\n' ? Place{place.line + 1, 1} : Place{place.line, place.column + 1};
  }
  return text;
}

// JSON

/// The parser's position, counted from the characters it takes.
struct JsonPosition {
  Place next{1, 1};
  Place current{1, 1};  ///< of the character taken last
  Place token{1, 1};    ///< where the last value or key began
  bool in_string = false;
  bool escaped = false;
  bool in_word = false;

  void advance(char c) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) current = next;
    if (in_string) {
      if (!escaped && c == '"') in_string = false;
      escaped = !escaped && c == '\\';
    } else if (c == '"' || c == '{' || c == '[') {
      token = current;
      in_string = c == '"';
      in_word = false;
    } else {
      const bool word = std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '+' || c == '.';
      if (word && !in_word) token = current;
      in_word = word;
    }
    next = c == '\n' ? Place{current.line + 1, 1} : Place{current.line, current.column + 1};
  }
};

/// An input iterator over the text that keeps a JsonPosition up to date. The parser looks at most one
/// character beyond a token, and what may be there begins no other, so `token` belongs to the event being
/// handled.
class TrackingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackingIterator(const char* at, JsonPosition* position) : at_(at), position_(position) {}
  reference operator*() const { return *at_; }
  TrackingIterator& operator++() {
    position_->advance(*at_++);
    return *this;
  }
  TrackingIterator operator++(int) {
    TrackingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const TrackingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const TrackingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  JsonPosition* position_;
};

class JsonHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  JsonHandler(TreeBuilder& builder, const JsonPosition& position) : builder_(builder), position_(position) {}

  bool null() override { return put(Value()); }
  bool boolean(bool value) override { return put(Value(value)); }
  bool number_integer(number_integer_t value) override { return put(Value(std::int64_t{value})); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<std::uint64_t>(INT64_MAX)) return put(Value(static_cast<double>(value)));
    return put(Value(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return put(Value(double{value})); }
  bool string(string_t& text) override {
    Value value(std::move(text));
    value.quoted = true;
    return put(std::move(value));
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(true); }
  bool key(string_t& text) override {
    builder_.key(std::move(text), position_.token);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(false); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    throw Refused{position_.current, plain_words(error.what())};
  }

 private:
  /// Drops the library's "[json.exception.parse_error.101] parse error at line 1, column 2: ".
  static std::string plain_words(std::string_view what) {
    if (const auto end = what.find("] "); what.starts_with('[') && end != what.npos)
      what.remove_prefix(end + 2);
    if (const auto colon = what.find(": "); what.starts_with("parse error") && colon != what.npos)
      what.remove_prefix(colon + 2);
    return std::string(what);
  }
  bool put(Value value) {
    value.place = position_.token;
    builder_.scalar(std::move(value));
    return true;
  }
  bool open(bool object) {
    builder_.open(object, position_.token);
    return true;
  }
  bool close() {
    std::size_t weight = 0, height = 0;
    builder_.close(weight, height);
    return true;
  }

  TreeBuilder& builder_;
  const JsonPosition& position_;
};

// YAML

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool all_digits(std::string_view text, std::string_view digits) {
  return !text.empty() && text.find_first_not_of(digits) == text.npos;
}

constexpr std::string_view decimal_digits = "0123456789";

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? and not an integer.
bool looks_like_real(std::string_view text) {
  const auto drop_sign = [](std::string_view& s) {
    if (s.starts_with('-') || s.starts_with('+')) s.remove_prefix(1);
  };
  drop_sign(text);
  if (const auto e = text.find_first_of("eE"); e != text.npos) {
    std::string_view exponent = text.substr(e + 1);
    drop_sign(exponent);
    if (!all_digits(exponent, decimal_digits)) return false;
    text = text.substr(0, e);
  }
  const auto dot = text.find('.');
  const std::string_view whole = text.substr(0, dot), fraction = dot == text.npos ? "" : text.substr(dot + 1);
  if (whole.empty()) return all_digits(fraction, decimal_digits);
  return all_digits(whole, decimal_digits) && (fraction.empty() || all_digits(fraction, decimal_digits));
}

double real(std::string_view text, Place place) {
  const std::optional<double> number = parse_number(text);
  if (!number) throw Refused{place, in_quotes(text) + " is out of the range of numbers"};
  return *number;
}

/// An integer when it fits, else the nearest real.
Value whole_number(std::string_view text, Place place) {
  std::int64_t number = 0;
  const std::string_view digits = text.substr(text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() ? Value(number) : Value(real(text, place));
}

/// YAML 1.2.2, section 10.3.2 (core schema), but 0x10 and 0o17 are text: the shell refuses them as numbers,
/// and what is a number must not depend on where it is typed. Infinity and NaN are refused: nothing here has
/// a use for them.
Value core_schema(const std::string& text, Place place) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return {};
  if (one_of(text, {"true", "True", "TRUE"})) return true;
  if (one_of(text, {"false", "False", "FALSE"})) return false;
  std::string_view digits = text;
  if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
  if (all_digits(digits, decimal_digits)) return whole_number(text, place);
  if (looks_like_real(text)) return real(text, place);
  if (one_of(digits, {".inf", ".Inf", ".INF"}) || one_of(text, {".nan", ".NaN", ".NAN"}))
    throw Refused{place, in_quotes(text) + " is not a number that can be used here"};
  return text;
}

/// yaml-cpp 0.7 gives the escapes \N and \_ as the single bytes 85 and a0, which are not UTF-8. The source
/// was checked, so no other byte can be out of place.
std::string repaired(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(std::string_view(text).substr(i));
    if (length == 0) out += '\xc2';
    out.append(text, i, std::max<std::size_t>(length, 1));
    i += std::max<std::size_t>(length, 1);
  }
  return out;
}

class YamlHandler : public YAML::EventHandler {
 public:
  YamlHandler(TreeBuilder& builder, std::size_t& bytes_since_event)
      : builder_(builder), bytes_since_event_(bytes_since_event) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      throw Refused{place(mark), "a second document in one file; give each a file of its own"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    put(builder_.pending_key().value_or(place(mark)), "?", anchor, "");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    bytes_since_event_ = 0;
    if (builder_.expects_key()) throw Refused{place(mark), "an alias cannot be a key; write the key out"};
    const auto original = anchors_.find(anchor);
    if (original == anchors_.end()) throw Refused{place(mark), "an alias inside the value that it names"};
    builder_.copy(original->second, place(mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    put(place(mark), tag, anchor, repaired(text));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, "tag:yaml.org,2002:seq", anchor, false);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, "tag:yaml.org,2002:map", anchor, true);
  }
  void OnMapEnd() override { close(); }

 private:
  static Place place(const YAML::Mark& mark) {
    return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
  }

  /// yaml-cpp gives plain scalars the tag "?" and quoted or block ones "!".
  static Value typed(const std::string& tag, const std::string& text, Place place) {
    Value value;
    constexpr std::string_view standard = "tag:yaml.org,2002:";
    if (tag == "?") {
      value = core_schema(text, place);
    } else if (tag == "!" || tag == "tag:yaml.org,2002:str") {
      value = text;
      value.quoted = true;
    } else {
      value = core_schema(text, place);
      const std::string_view type = std::string_view(tag).substr(std::min(tag.size(), standard.size()));
      const bool fits = tag.starts_with(standard) &&
                        ((type == "null" && value.is_null()) || (type == "bool" && value.is_bool()) ||
                         (type == "int" && value.is_integer()) || (type == "float" && value.is_number()));
      if (!fits)
        throw Refused{place, fmt::format("{} cannot be read as {}", in_quotes(text), in_quotes(tag))};
      if (type == "float") value = value.number();
    }
    value.place = place;
    return value;
  }

  void put(Place place, const std::string& tag, YAML::anchor_t anchor, const std::string& text) {
    bytes_since_event_ = 0;
    Value value = typed(tag, text, place);
    if (anchor != 0) remember(anchor, value, 1 + text.size() / 64, 0);
    if (!builder_.expects_key()) {
      builder_.scalar(std::move(value));
      return;
    }
    if (value.is_null()) throw Refused{place, "a key is missing"};
    builder_.key(text, place, tag == "?" && text == "<<");
  }

  void open(const YAML::Mark& mark, const std::string& tag, std::string_view own_tag, YAML::anchor_t anchor,
            bool object) {
    bytes_since_event_ = 0;
    if (builder_.expects_key())
      throw Refused{place(mark), "a list or a map cannot be a key (or a bracket is not closed)"};
    if (!tag.empty() && tag != "?" && tag != "!" && tag != own_tag)
      throw Refused{place(mark), fmt::format("the tag {} is not supported", in_quotes(tag))};
    builder_.open(object, place(mark));
    open_anchors_.push_back(anchor);
  }

  void close() {
    bytes_since_event_ = 0;
    std::size_t weight = 0, height = 0;
    const Value* closed = builder_.close(weight, height);
    const YAML::anchor_t anchor = open_anchors_.back();
    open_anchors_.pop_back();
    if (anchor != 0) remember(anchor, *closed, weight, height);
  }

  void remember(YAML::anchor_t anchor, const Value& value, std::size_t weight, std::size_t height) {
    builder_.charge(weight, value.place);
    anchors_[anchor] = {value, weight, height};
  }

  TreeBuilder& builder_;
  std::size_t& bytes_since_event_;
  int documents_ = 0;
  std::vector<YAML::anchor_t> open_anchors_;
  std::map<YAML::anchor_t, TreeBuilder::Finished> anchors_;
};

/// Feeds the text to yaml-cpp and pretends that it ends when too much was read without an event.
class GuardedBuffer : public std::streambuf {
 public:
  explicit GuardedBuffer(std::string_view text) : text_(text) {}
  std::size_t bytes_since_event = 0;
  bool tripped = false;

 protected:
  int_type underflow() override {
    constexpr std::size_t chunk = 4'096;
    tripped = tripped || bytes_since_event > max_yaml_lookahead;
    if (tripped || text_.empty()) return traits_type::eof();
    const std::string_view next = text_.substr(0, chunk);
    text_.remove_prefix(next.size());
    bytes_since_event += next.size();
    // A streambuf's get area is declared writable, but nothing here puts characters back into it.
    char* const begin = const_cast<char*>(next.data());
    setg(begin, begin, begin + next.size());
    return traits_type::to_int_type(*begin);
  }

 private:
  std::string_view text_;
};

}  // namespace

Result<Value> parse_json(std::string_view text) {
  const auto checked = checked_text(text);
  if (!checked) return fail(checked.error());
  try {
    TreeBuilder builder;
    JsonPosition position;
    JsonHandler handler(builder, position);
    const char* const end = checked->data() + checked->size();
    if (!nlohmann::json::sax_parse(TrackingIterator(checked->data(), &position),
                                   TrackingIterator(end, &position), &handler))
      return fail(error_at(position.current, "not JSON"));
    return builder.take();
  } catch (const Refused& refused) {
    return fail(error_at(refused.place, refused.why));
  } catch (const std::exception& error) {
    return fail(Errc::invalid, std::string("1:1: ") + error.what());
  }
}

Result<Value> parse_yaml(std::string_view text) {
  const auto checked = checked_text(text);
  if (!checked) return fail(checked.error());
  // JSON is YAML, and flow collections cost yaml-cpp much memory: large generated files come through here.
  if (const auto first = checked->find_first_not_of(" \t\r\n");
      first != checked->npos && ((*checked)[first] == '{' || (*checked)[first] == '['))
    if (auto json = parse_json(*checked)) return json;
  GuardedBuffer buffer(*checked);
  const auto too_long = [] {
    return fail(
        Errc::invalid,
        fmt::format(
            "1:1: more than {} MB in one text or bracketed collection; write it as JSON or in block style",
            max_yaml_lookahead >> 20));
  };
  try {
    TreeBuilder builder;
    YamlHandler handler(builder, buffer.bytes_since_event);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(handler)) continue;
    if (buffer.tripped) return too_long();
    return builder.take();
  } catch (const Refused& refused) {
    return buffer.tripped ? too_long() : fail(error_at(refused.place, refused.why));
  } catch (const YAML::Exception& error) {
    if (buffer.tripped) return too_long();
    const auto line = static_cast<std::uint32_t>(std::max(0, error.mark.line) + 1);
    const auto column = static_cast<std::uint32_t>(std::max(0, error.mark.column) + 1);
    return fail(error_at({line, column}, error.msg));
  } catch (const std::exception& error) {
    return fail(Errc::invalid, std::string("1:1: ") + error.what());
  }
}

}  // namespace bidboard
