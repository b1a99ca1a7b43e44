#include "blackboard/format/codec.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <msgpack.hpp>
#include <tuple>

#include "blackboard/format/record_kinds.hpp"
#include "blackboard/messages.hpp"

namespace bidboard {
namespace {

/// Where msgpack writes to, mostly a byte or nine at a time: std::string::append would cost more than the
/// encoding. One buffer for all.
class Scratch {
 public:
  void write(const char* data, std::size_t size) {
    if (size > static_cast<std::size_t>(end_ - next_)) grow(size);
    if (size == 1)
      *next_ = *data;
    else
      std::memcpy(next_, data, size);
    next_ += size;
  }
  void clear() { next_ = bytes_.data(); }
  std::string take() {
    std::string out(bytes_.data(), next_);
    if (bytes_.size() > bytes_kept) use(std::vector<char>(bytes_at_first), 0);
    return out;
  }

 private:
  static constexpr std::size_t bytes_at_first = 4096;
  static constexpr std::size_t bytes_kept = 1 << 20;

  void use(std::vector<char> bytes, std::size_t used) {
    bytes_ = std::move(bytes);
    next_ = bytes_.data() + used;
    end_ = bytes_.data() + bytes_.size();
  }
  void grow(std::size_t size) {
    const std::size_t used = static_cast<std::size_t>(next_ - bytes_.data());
    std::vector<char> larger(std::max(2 * bytes_.size(), used + size));
    std::memcpy(larger.data(), bytes_.data(), used);
    use(std::move(larger), used);
  }

  std::vector<char> bytes_ = std::vector<char>(bytes_at_first);
  char* next_ = bytes_.data();
  char* end_ = next_ + bytes_.size();
};
using Packer = msgpack::packer<Scratch>;

template <class Write>
std::string written_by(Write&& write) {
  thread_local Scratch scratch;
  scratch.clear();
  Packer packer(scratch);
  write(packer);
  return scratch.take();
}

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVariant : std::false_type {};
template <class... Ts>
struct IsVariant<std::variant<Ts...>> : std::true_type {};
template <class T>
struct IsId : std::false_type {};
template <char C>
struct IsId<Id<C>> : std::true_type {};
template <class Tag>
struct IsId<Counter<Tag>> : std::true_type {};

/// The lowest valid value of each stored enum.
template <class E>
constexpr std::uint8_t first_of() {
  return std::is_same_v<E, TaskState> || std::is_same_v<E, RefusalReason> || std::is_same_v<E, HoldKind> ? 1
                                                                                                         : 0;
}
/// The highest one.
template <class E>
constexpr std::uint8_t last_of() {
  if constexpr (std::is_same_v<E, TaskState>)
    return static_cast<std::uint8_t>(TaskState::quarantined);
  else if constexpr (std::is_same_v<E, AgentState>)
    return static_cast<std::uint8_t>(AgentState::shell);
  else if constexpr (std::is_same_v<E, BidStyle>)
    return static_cast<std::uint8_t>(BidStyle::live);
  else if constexpr (std::is_same_v<E, HoldKind>)
    return static_cast<std::uint8_t>(HoldKind::budget);
  else if constexpr (std::is_same_v<E, RefusalReason>)
    return static_cast<std::uint8_t>(RefusalReason::later);
  else if constexpr (std::is_same_v<E, Role>)
    return static_cast<std::uint8_t>(Role::observer);
  else if constexpr (std::is_same_v<E, Action>)
    return static_cast<std::uint8_t>(Action::comment);
  else if constexpr (std::is_same_v<E, Direction>)
    return static_cast<std::uint8_t>(Direction::resume);
  else if constexpr (std::is_same_v<E, Outage>)
    return static_cast<std::uint8_t>(Outage::environment);
  else if constexpr (std::is_same_v<E, BreakerState>)
    return static_cast<std::uint8_t>(BreakerState::half_open);
  else if constexpr (std::is_same_v<E, ReportItem::What>)
    return static_cast<std::uint8_t>(ReportItem::What::settled);
  else {
    static_assert(std::is_same_v<E, Errc>, "name the last value of this enum");
    return static_cast<std::uint8_t>(Errc::failed);
  }
}

template <class T>
void put(Packer& out, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    out.pack_str(static_cast<std::uint32_t>(value.size()));
    out.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
  } else if constexpr (std::is_enum_v<T>) {
    out.pack(static_cast<std::uint8_t>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    out.pack(value);
  } else if constexpr (IsId<T>::value) {
    out.pack(value.value);
  } else if constexpr (requires { value.us; }) {
    out.pack(value.us);
  } else if constexpr (IsVector<T>::value) {
    out.pack_array(static_cast<std::uint32_t>(value.size()));
    for (const typename T::value_type& item : value) put(out, item);
  } else if constexpr (IsOptional<T>::value) {
    out.pack_array(value ? 1 : 0);
    if (value) put(out, *value);
  } else if constexpr (IsVariant<T>::value) {
    out.pack_array(2);
    out.pack(static_cast<std::uint8_t>(value.index()));
    std::visit([&](const auto& alternative) { put(out, alternative); }, value);
  } else {
    std::uint32_t count = 0;
    for_each_field(value, [&](const char*, const auto&) { ++count; });
    out.pack_array(count);
    for_each_field(value, [&](const char*, const auto& field) { put(out, field); });
  }
}

/// Reads from msgpack's object tree; the first mismatch is kept and everything after it is ignored.
struct Reader {
  std::string error;

  void wrong(const char* what) {
    if (error.empty()) error = what;
  }

  template <class T>
  void integer(const msgpack::object& in, T& value) {
    if (in.type == msgpack::type::POSITIVE_INTEGER &&
        in.via.u64 <= static_cast<std::uint64_t>(std::numeric_limits<T>::max()))
      value = static_cast<T>(in.via.u64);
    else if (std::is_signed_v<T> && in.type == msgpack::type::NEGATIVE_INTEGER &&
             in.via.i64 >= static_cast<std::int64_t>(std::numeric_limits<T>::min()))
      value = static_cast<T>(in.via.i64);
    else
      wrong("an integer out of range or missing");
  }

  template <class... Ts>
  void variant(const msgpack::object& in, std::variant<Ts...>& value) {
    std::uint8_t index = 255;
    if (in.type != msgpack::type::ARRAY || in.via.array.size != 2)
      return wrong("a tagged value must be a pair");
    integer(in.via.array.ptr[0], index);
    if (index >= sizeof...(Ts)) return wrong("an unknown kind");
    using Filler = void (*)(Reader&, const msgpack::object&, std::variant<Ts...>&);
    static constexpr Filler fill[] = {
        [](Reader& self, const msgpack::object& body, std::variant<Ts...>& out) {
          self.get(body, out.template emplace<Ts>());
        }...};
    fill[index](*this, in.via.array.ptr[1], value);
  }

  template <class T>
  void vector(const msgpack::object& in, std::vector<T>& value) {
    if (in.type != msgpack::type::ARRAY) return wrong("a list was expected");
    value.clear();
    value.reserve(in.via.array.size);  // bounded: every element stood in the input
    for (std::uint32_t i = 0; i < in.via.array.size && error.empty(); ++i) {
      T item{};
      get(in.via.array.ptr[i], item);
      value.push_back(std::move(item));
    }
  }

  template <class T>
  void fields(const msgpack::object& in, T& value) {
    if (in.type != msgpack::type::ARRAY) return wrong("a record was expected");
    std::uint32_t next = 0;
    for_each_field(value, [&](const char*, auto& field) {
      if (next < in.via.array.size && error.empty()) get(in.via.array.ptr[next++], field);
    });
    if (next < in.via.array.size && error.empty()) wrong("more fields than this version knows");
    if constexpr (requires { value.upcast(); }) value.upcast();
  }

  template <class T>
  void get(const msgpack::object& in, T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (in.type != msgpack::type::STR) return wrong("text was expected");
      value.assign(in.via.str.ptr, in.via.str.size);
    } else if constexpr (std::is_same_v<T, bool>) {
      if (in.type != msgpack::type::BOOLEAN) return wrong("true or false was expected");
      value = in.via.boolean;
    } else if constexpr (std::is_enum_v<T>) {
      std::uint8_t raw = 0;
      integer(in, raw);
      if (raw < first_of<T>() || raw > last_of<T>()) return wrong("an unknown enumeration value");
      value = static_cast<T>(raw);
    } else if constexpr (std::is_integral_v<T>) {
      integer(in, value);
    } else if constexpr (IsId<T>::value) {
      integer(in, value.value);
    } else if constexpr (requires { value.us; }) {
      integer(in, value.us);
    } else if constexpr (IsVector<T>::value) {
      vector(in, value);
    } else if constexpr (IsOptional<T>::value) {
      if (in.type != msgpack::type::ARRAY || in.via.array.size > 1)
        return wrong("a list of one value or none was expected");
      value.reset();
      if (in.via.array.size == 1) get(in.via.array.ptr[0], value.emplace());
    } else if constexpr (IsVariant<T>::value) {
      variant(in, value);
    } else {
      fields(in, value);
    }
  }
};

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

constexpr std::size_t header_bytes = 5;
constexpr std::size_t max_list_items = 1 << 16;
constexpr std::size_t max_nesting = 24;

}  // namespace

template <class T>
std::string encode(const T& value) {
  return written_by([&](Packer& packer) { put(packer, value); });
}

template <class T>
Result<T> decode(std::string_view bytes) {
  // No element is smaller than a byte, so nothing can hold more than the input has bytes. msgpack reserves a
  // list's room on reading its length: the bound on lists and nesting keeps that under 40 MB whatever the
  // bytes claim.
  const std::size_t most = bytes.size();
  const msgpack::unpack_limit limit(std::min<std::size_t>(most, max_list_items), 0, most, 0, 0, max_nesting);
  try {
    std::size_t offset = 0;
    const msgpack::object_handle handle = msgpack::unpack(
        bytes.data(), bytes.size(), offset, [](auto, auto, auto) { return true; }, nullptr, limit);
    if (offset != bytes.size()) return fail(Errc::corrupt, "extra bytes after the value");
    T value{};
    Reader reader;
    reader.get(handle.get(), value);
    if (!reader.error.empty()) return fail(Errc::corrupt, reader.error);
    return value;
  } catch (const std::exception& e) {
    return fail(Errc::corrupt, std::string("not msgpack: ") + e.what());
  }
}

template <class T>
std::string seal(const T& record) {
  std::string out = written_by([&](Packer& packer) {
    packer.pack_bin_body("\0\0\0\0\0", header_bytes);
    put(packer, record);
  });
  const std::uint32_t sum = checksum(std::string_view(out).substr(header_bytes));
  out[0] = static_cast<char>(format_version);
  for (std::size_t i = 0; i < 4; ++i) out[1 + i] = static_cast<char>(sum >> (8 * i));
  return out;
}

std::uint64_t digest(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Result<std::string_view> sealed_payload(std::string_view bytes) {
  if (bytes.size() < header_bytes) return fail(Errc::corrupt, "a stored value is cut short");
  if (static_cast<unsigned char>(bytes[0]) > format_version)
    return fail(Errc::unsupported, "this board was written by a newer Bidboard; use that version");
  if (bytes[0] == 0) return fail(Errc::corrupt, "a stored value without a version");
  const std::string_view payload = bytes.substr(header_bytes);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 4; ++i)
    sum |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[1 + i])) << (8 * i);
  if (sum != checksum(payload)) return fail(Errc::corrupt, "a stored value fails its checksum");
  return payload;
}

template <class T>
Result<T> unseal(std::string_view bytes) {
  const Result<std::string_view> payload = sealed_payload(bytes);
  if (!payload) return fail(payload.error());
  return decode<T>(*payload);
}

namespace detail {

template <class Record>
struct Codec {
  std::string (*encoded)(const Record&) = encode<Record>;
  Result<Record> (*decoded)(std::string_view) = decode<Record>;
  std::string (*sealed)(const Record&) = seal<Record>;
  Result<Record> (*unsealed)(std::string_view) = unseal<Record>;
};
template <class... Kinds>
std::tuple<Codec<typename Kinds::Record>...> codecs_of(RecordList<Kinds...>);

// Naming a function compiles it: the codec of every kind of record (record_kinds.hpp), and of
// Event and Seq. The table is visible from outside, so that no compiler drops what only other files call.
extern const decltype(codecs_of(RecordKinds{})) record_codecs;
const decltype(codecs_of(RecordKinds{})) record_codecs;
extern const std::tuple<Codec<Event>, Codec<Seq>> other_codecs;
const std::tuple<Codec<Event>, Codec<Seq>> other_codecs;

}  // namespace detail

template std::string encode<Message>(const Message&);
template Result<Message> decode<Message>(std::string_view);
template std::string encode<Frame>(const Frame&);
template Result<Frame> decode<Frame>(std::string_view);
template std::string encode<FeedFrame>(const FeedFrame&);
template Result<FeedFrame> decode<FeedFrame>(std::string_view);
template std::string encode<Reply>(const Reply&);
template Result<Reply> decode<Reply>(std::string_view);

}  // namespace bidboard
