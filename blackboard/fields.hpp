// BB_FIELDS lists a struct's members once; encoding, comparison and printing are derived from that list.
//
//   struct Skill { std::string name; Micros level = one; BB_FIELDS(name, level) };
//   for_each_field(skill, [](const char* name, auto& value) { ... });
//
// The order is the stored order (storage.md): new members go to the end, none is ever removed or moved.
#pragma once

#define BB_PARENS ()
#define BB_EXPAND(...) BB_EXPAND4(BB_EXPAND4(BB_EXPAND4(BB_EXPAND4(__VA_ARGS__))))
#define BB_EXPAND4(...) BB_EXPAND3(BB_EXPAND3(BB_EXPAND3(BB_EXPAND3(__VA_ARGS__))))
#define BB_EXPAND3(...) BB_EXPAND2(BB_EXPAND2(BB_EXPAND2(BB_EXPAND2(__VA_ARGS__))))
#define BB_EXPAND2(...) __VA_ARGS__
#define BB_VISIT_EACH(first, ...) \
  visit(#first, self.first);      \
  __VA_OPT__(BB_VISIT_AGAIN BB_PARENS(__VA_ARGS__))
#define BB_VISIT_AGAIN() BB_VISIT_EACH

#define BB_FIELDS(...)                                             \
  template <class Self, class Visitor>                             \
  static constexpr void visit_fields(Self& self, Visitor& visit) { \
    __VA_OPT__(BB_EXPAND(BB_VISIT_EACH(__VA_ARGS__)))              \
    static_cast<void>(self), static_cast<void>(visit);             \
  }

namespace bidboard {

template <class T>
concept HasFields = requires(T& value, void (*visit)(const char*, int)) {
  T::template visit_fields<T, decltype(visit)>;
};

/// Calls visit(name, member) for every listed member, in order.
template <class T, class Visitor>
constexpr void for_each_field(T& value, Visitor&& visit) {
  value.visit_fields(value, visit);
}

}  // namespace bidboard
