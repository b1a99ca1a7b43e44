// The half of document.cpp that needs no library: turns a parser's events into a Value and keeps every bound
// on the way. For document.cpp alone.
#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "blackboard/fmt.hpp"
#include "blackboard/text/document.hpp"
#include "blackboard/text/readable.hpp"
#include "blackboard/text/utf8.hpp"

namespace bidboard::document {

inline constexpr std::size_t max_depth = 64;
/// A value weighs one and one more per 64 bytes of text; copies made by aliases count. Bounds memory to about
/// half a GB.
inline constexpr std::size_t max_weight = 4'000'000;

inline std::string at(Place place) { return fmt::format("{}:{}", place.line, place.column); }

/// Thrown through the parsing libraries by our own handlers, caught in parse_yaml and parse_json
/// (document.cpp).
struct Refused {
  Place place;
  std::string why;
};

inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t shown = 60;
  return "'" + readable(utf8_prefix(text, shown)) + (text.size() > shown ? "...'" : "'");
}

/// Builds the tree from a parser's events and keeps every bound.
class TreeBuilder {
 public:
  struct Finished {
    Value value;
    std::size_t weight = 0;
    std::size_t height = 0;  ///< levels of containers
  };

  bool expects_key() const { return !frames_.empty() && frames_.back().object && !frames_.back().key; }

  /// Of the key whose value comes next. A value that was left out has no better place.
  std::optional<Place> pending_key() const {
    if (frames_.empty() || !frames_.back().key) return {};
    return frames_.back().key->place;
  }

  /// `merges`: the key is YAML's `<<`, whose value's members count unless the map itself has them.
  void key(std::string key, Place place, bool merges = false) {
    Frame& frame = frames_.back();
    frame.merges = merges;
    const auto [earlier, fresh] = frame.places.emplace(key, place);
    if (!fresh)
      throw Refused{place, fmt::format("the key {} is defined twice; the first definition is at {}",
                                       in_quotes(key), at(earlier->second))};
    charge(key.size() / 64, place);
    frame.key = Value::Member{std::move(key), {}, place};
  }

  void open(bool object, Place place) {
    if (frames_.size() == max_depth)
      throw Refused{place, fmt::format("nested deeper than {} levels", max_depth)};
    Frame& frame = frames_.emplace_back();
    frame.object = object;
    frame.weight_before = weight_;
    frame.value = object ? Value(Value::Object{}) : Value(Value::Array{});
    frame.value.place = place;
    charge(1, place);
  }

  /// The container that just ended is in its parent now; the pointer is good until the next call.
  const Value* close(std::size_t& weight, std::size_t& height) {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    insert_merged(frame);
    weight = weight_ - frame.weight_before;
    height = frame.height + 1;
    return put(std::move(frame.value), height);
  }

  const Value* scalar(Value value) {
    charge(1 + (value.is_string() ? value.string().size() / 64 : 0), value.place);
    return put(std::move(value), 0);
  }

  void copy(const Finished& original, Place place) {
    if (frames_.size() + original.height > max_depth)
      throw Refused{place, fmt::format("nested deeper than {} levels", max_depth)};
    charge(original.weight, place);
    Value value = original.value;
    value.place = place;
    put(std::move(value), original.height);
  }

  void charge(std::size_t weight, Place place) {
    weight_ += weight;
    if (weight_ > max_weight)
      throw Refused{place, fmt::format("more than {} values (repetitions by aliases count)", max_weight)};
  }

  Value take() { return std::move(root_); }

 private:
  struct Frame {
    Value value;
    bool object = false;
    std::optional<Value::Member> key;  ///< waits for its value
    std::map<std::string, Place> places;
    bool merges = false;           ///< the key is `<<`
    Value merged;                  ///< its value
    std::size_t merged_after = 0;  ///< so many members stand before it
    std::size_t weight_before = 0;
    std::size_t height = 0;
  };

  const Value* put(Value value, std::size_t height) {
    if (frames_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Frame& frame = frames_.back();
    frame.height = std::max(frame.height, height);
    if (!frame.object) return &frame.value.array().emplace_back(std::move(value));
    if (frame.merges) {
      frame.key.reset();
      frame.merges = false;
      frame.merged_after = frame.value.object().size();
      frame.merged = std::move(value);
      return &frame.merged;
    }
    frame.key->value = std::move(value);
    Value& placed = frame.value.object().emplace_back(std::move(*frame.key)).value;
    frame.key.reset();
    return &placed;
  }

  /// The map's own members come first in rank, then the merged maps in their order
  /// (yaml.org/type/merge.html).
  static void insert_merged(Frame& frame) {
    if (frame.merged.is_null()) return;
    Value::Object inherited;
    const auto take_from = [&](const Value& map) {
      if (!map.is_object()) throw Refused{map.place, "'<<' takes a map, or a list of maps"};
      for (const Value::Member& member : map.object())
        if (frame.places.emplace(member.key, member.place).second) inherited.push_back(member);
    };
    if (frame.merged.is_array())
      for (const Value& map : frame.merged.array()) take_from(map);
    else
      take_from(frame.merged);
    Value::Object& members = frame.value.object();
    members.insert(members.begin() + static_cast<std::ptrdiff_t>(frame.merged_after),
                   std::make_move_iterator(inherited.begin()), std::make_move_iterator(inherited.end()));
  }

  Value root_ = [] {
    Value nothing;
    nothing.place = {1, 1};
    return nothing;
  }();
  std::vector<Frame> frames_;
  std::size_t weight_ = 0;
};

}  // namespace bidboard::document
