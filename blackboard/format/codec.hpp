// Records, events and messages to bytes and back: msgpack arrays in field order (BB_FIELDS), the only place
// that knows msgpack. Decoding trusts nothing: sizes and nesting are bounded before anything is allocated,
// enums are range-checked, trailing bytes are refused. A shorter array than expected is an older version: the
// missing fields keep their defaults.
#pragma once

#include <string>
#include <string_view>

#include "blackboard/events.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

/// First byte of every stored value. A higher one in a board was written by a newer Bidboard and is refused.
constexpr unsigned char format_version = 1;

/// What the codec can store: instantiated in codec.cpp for every record, Event, and Message (messages.hpp).
template <class T>
std::string encode(const T& value);
/// Errors: corrupt, with what was found where.
template <class T>
Result<T> decode(std::string_view bytes);

/// encode() behind a version byte and a checksum (XXH3, its low 32 bits): the form in which records and
/// events are stored.
template <class T>
std::string seal(const T& record);
/// Errors: corrupt (checksum, content), unsupported (a newer version).
template <class T>
Result<T> unseal(std::string_view bytes);
/// A hash (XXH3, 64 bits) that distinguishes byte strings; not safe against deliberate collisions.
std::uint64_t digest(std::string_view bytes);
/// The encoded part of a sealed value, its checksum verified.
Result<std::string_view> sealed_payload(std::string_view bytes);

}  // namespace bidboard
