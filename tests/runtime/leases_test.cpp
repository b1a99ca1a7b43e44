#include "runtime/core/leases.hpp"

#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

constexpr AgentId a1{1};
constexpr AgentId a2{2};
constexpr Instant at(std::int64_t s) { return Instant{} + seconds(1'000 + s); }

/// Wakes the leases whenever they ask for it, as every driver does, until the time given.
void wait_until(Leases& leases, Instant end) {
  while (leases.next_wakeup() < end) leases.notice_time(leases.next_wakeup());
  leases.notice_time(end);
}

}  // namespace

TEST_CASE("a lease runs from the last sign of life") {
  Leases leases(seconds(30));
  leases.notice_time(at(0));
  leases.renew(a1, at(0));
  wait_until(leases, at(8));
  leases.renew(a2, at(8));
  wait_until(leases, at(29));
  CHECK(leases.expired(at(29)).empty());
  CHECK(leases.expired(at(30)) == std::vector{a1});
  CHECK(leases.expired(at(38)) == std::vector{a1, a2});
  leases.drop(a1);
  CHECK(leases.expired(at(38)) == std::vector{a2});
}

TEST_CASE("a single silent agent still loses its lease: silence alone does not mean that the machine slept") {
  Leases leases(seconds(30));
  leases.notice_time(at(0));
  leases.renew(a1, at(0));
  wait_until(leases, at(30));
  CHECK(leases.expired(at(30)) == std::vector{a1});
}

TEST_CASE("after the machine slept, every lease is extended by that time, once") {
  Leases leases(seconds(30));
  leases.notice_time(at(0));
  leases.renew(a1, at(0));
  leases.notice_time(at(3'600));
  CHECK(leases.expired(at(3'629)).empty());
  leases.renew(a2, at(3'600));  // a sign of life after the sleep: no extension
  wait_until(leases, at(3'630));
  CHECK(leases.expired(at(3'630)) == std::vector{a1, a2});
}

TEST_CASE("without leases there is no wake-up") {
  Leases leases(seconds(30));
  leases.notice_time(at(0));
  CHECK(leases.next_wakeup() == never);
  leases.renew(a1, at(0));
  CHECK(leases.next_wakeup() <= at(10));
}
