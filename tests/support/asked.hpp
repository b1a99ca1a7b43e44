// A node without sockets, asked by one operator, over a store that a test can look into.
#pragma once

#include <memory>

#include "runtime/coordination/strategy.hpp"
#include "runtime/core/node.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/flaky_store.hpp"

namespace bidboard {

inline Post post_of(const std::string& title) {
  Post post;
  post.tasks.resize(1);
  post.tasks[0].title = title;
  return post;
}

template <class StoreKind>
struct AskedOver {
  StoreKind& store;
  std::unique_ptr<Node> node;
  Instant time{};

  explicit AskedOver(StoreKind& over) : store(over) { restart(); }
  void restart() {
    ControllerOptions options;
    options.term = store.last_term().next();
    options.secret_key = std::string(32, 'k');
    options.coordinators = make_coordinator;
    node = std::make_unique<Node>(store, options);
    REQUIRE(node->start(now()).has_value());
  }
  Now now() {
    time = time + seconds(1);
    return {time, WallTime{time.us}};
  }
  Reply ask(RequestBody body, const std::string& as = {}) {
    Request request{{}, 1, as, {}, std::move(body)};
    const Committed done = node->process({FromPeer{PeerId{1}, std::move(request)}}, now());
    REQUIRE(done.sends.size() == 1);
    return std::get<Reply>(done.sends.front().message);
  }
};

struct OwnStore {
  FlakyStore own_store;
};
struct Asked : OwnStore, AskedOver<FlakyStore> {
  Asked() : AskedOver(own_store) {}
};

}  // namespace bidboard
