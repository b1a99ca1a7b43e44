#include "tests/support/faulty_link.hpp"

#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <stdexcept>
#include <vector>
#include <zmq.hpp>

#include "blackboard/format/codec.hpp"
#include "blackboard/random.hpp"

namespace bidboard::testing {
namespace {

using Clock = std::chrono::steady_clock;

/// The two ends of one connection: the client's, and ours to the controller on its behalf.
struct Passage {
  zmq::socket_t to_controller;
};

}  // namespace

struct FaultyLink::Impl {
  zmq::context_t context{1};
  zmq::socket_t front{context, zmq::socket_type::router};
  std::map<std::string, Passage> passages;  // by the client's routing id
  std::string behind;                       // where the controller's socket is now
  LinkFaults faults;
  Random random;
  std::atomic<bool> stop = false;
  mutable std::mutex mutex;
  Counts counts;
  std::vector<std::string> inward, outward;  ///< messages so far; guarded by the mutex

  struct Held {
    std::string peer, body;
    bool inward = false;
  };
  std::multimap<Clock::time_point, Held> held;

  Impl(LinkFaults f, std::uint64_t seed) : faults(f), random(seed) {}

  void add(std::uint64_t Counts::*what) {
    const std::scoped_lock lock(mutex);
    counts.*what += 1;
  }

  zmq::socket_t& passage_of(const std::string& peer) {
    const auto found = passages.find(peer);
    if (found != passages.end()) return found->second.to_controller;
    zmq::socket_t dealer(context, zmq::socket_type::dealer);
    dealer.set(zmq::sockopt::linger, 0);
    dealer.connect(behind);
    return passages.emplace(peer, Passage{std::move(dealer)}).first->second.to_controller;
  }

  void deliver(const Held& message) {
    if (message.inward) {
      static_cast<void>(passage_of(message.peer).send(zmq::buffer(message.body), zmq::send_flags::dontwait));
    } else {
      static_cast<void>(
          front.send(zmq::buffer(message.peer), zmq::send_flags::sndmore | zmq::send_flags::dontwait));
      static_cast<void>(front.send(zmq::buffer(message.body), zmq::send_flags::dontwait));
    }
    add(&Counts::passed);
  }

  /// Reconnects to the controller as a new peer; messages on the way to the old one are lost.
  void cut(const std::string& peer) {
    passages.erase(peer);
    std::erase_if(held, [&](const auto& entry) { return entry.second.peer == peer; });
    add(&Counts::cut);
  }

  void pass_on(Held message) {
    {
      const std::scoped_lock lock(mutex);
      (message.inward ? inward : outward).push_back(message.body);
    }
    if (random.chance(faults.cut)) return cut(message.peer);
    if (random.chance(faults.drop) || (!message.inward && random.chance(faults.drop_outward)))
      return add(&Counts::dropped);
    if (random.chance(faults.duplicate)) {
      add(&Counts::duplicated);
      deliver(message);
    }
    if (!random.chance(faults.delay)) return deliver(message);
    add(&Counts::delayed);
    const auto wait = std::chrono::milliseconds(random.between(1, faults.delay_ms));
    held.emplace(Clock::now() + wait, std::move(message));
  }

  void run() {
    while (!stop) {
      std::vector<zmq::pollitem_t> items{{front.handle(), 0, ZMQ_POLLIN, 0}};
      for (auto& [peer, passage] : passages)
        items.push_back({passage.to_controller.handle(), 0, ZMQ_POLLIN, 0});
      zmq::poll(items, std::chrono::milliseconds(held.empty() ? 20 : 1));
      while (!held.empty() && held.begin()->first <= Clock::now()) {
        deliver(held.begin()->second);
        held.erase(held.begin());
      }
      take_inward();
      take_outward();
    }
  }

  void take_inward() {
    zmq::message_t id, body;
    while (front.recv(id, zmq::recv_flags::dontwait)) {
      static_cast<void>(front.recv(body, zmq::recv_flags::dontwait));
      pass_on({id.to_string(), body.to_string(), true});
    }
  }

  void take_outward() {
    std::vector<Held> arrived;
    zmq::message_t body;
    for (auto& [peer, passage] : passages)
      while (passage.to_controller.recv(body, zmq::recv_flags::dontwait))
        arrived.push_back({peer, body.to_string(), false});
    for (Held& message : arrived) pass_on(std::move(message));
  }
};

FaultyLink::FaultyLink(const std::string& endpoint, LinkFaults faults, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(faults, seed)) {
  const std::string path = endpoint.substr(std::string("ipc://").size());
  const std::string moved = path + "0";
  if (std::rename(path.c_str(), moved.c_str()) != 0) throw std::runtime_error("no socket at " + path);
  impl_->behind = "ipc://" + moved;
  impl_->front.set(zmq::sockopt::linger, 0);
  impl_->front.bind(endpoint);
  thread_ = std::thread([this] { impl_->run(); });
}

FaultyLink::~FaultyLink() {
  impl_->stop = true;
  thread_.join();
  std::remove(impl_->behind.substr(std::string("ipc://").size()).c_str());
}

std::vector<Message> FaultyLink::recorded(bool inward) const {
  const std::scoped_lock lock(impl_->mutex);
  std::vector<Message> messages;
  for (const std::string& bytes : inward ? impl_->inward : impl_->outward)
    if (Result<Frame> frame = decode<Frame>(bytes)) messages.push_back(std::move(frame->message));
  return messages;
}

FaultyLink::Counts FaultyLink::counts() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->counts;
}

}  // namespace bidboard::testing
