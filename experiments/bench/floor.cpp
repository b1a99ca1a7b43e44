#include "experiments/bench/floor.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <zmq.hpp>

#include "blackboard/fmt.hpp"
#include "experiments/bench/raw_lmdb.hpp"
#include "experiments/bench/support.hpp"

namespace bidboard::bench {
namespace {

constexpr std::size_t batch_max = 1024;
/// For the last frames, which tell the agents to end.
constexpr int farewell_ms = 5'000;

/// A frame of `count` equal items: the count, then padding.
std::string frame_of(std::uint32_t count, std::size_t item_bytes) {
  std::string frame(sizeof count + count * item_bytes, 'x');
  std::memcpy(frame.data(), &count, sizeof count);
  return frame;
}
std::uint32_t count_in(const zmq::message_t& frame) {
  std::uint32_t count = 0;
  if (frame.size() >= sizeof count) std::memcpy(&count, frame.data(), sizeof count);
  return count;
}

/// Reports every award at once; an empty award ends it.
void be_agent(const std::string& endpoint, std::size_t report_bytes) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  socket.connect(endpoint);
  socket.send(zmq::buffer(frame_of(0, 0)), zmq::send_flags::none);
  zmq::message_t award;
  while (socket.recv(award)) {
    const std::uint32_t count = count_in(award);
    if (count == 0) return;
    socket.send(zmq::buffer(frame_of(count, report_bytes)), zmq::send_flags::none);
  }
}

class FloorServer {
 public:
  FloorServer(const Recording& recording, int agents, int capacity, RawLmdb& store,
              const std::string& endpoint)
      : recording_(recording), agents_(agents), capacity_(capacity), store_(store) {
    socket_.set(zmq::sockopt::linger, farewell_ms);
    socket_.bind(endpoint);
  }

  /// Tasks per second.
  Result<double> run() {
    const auto total = static_cast<std::uint32_t>(recording_.turns.size());
    while (std::ssize(peers_) < agents_) receive(true);
    const auto begun = Clock::now();
    for (const auto& [peer, done] : peers_) award(peer, static_cast<std::uint32_t>(capacity_));
    std::uint32_t finished = 0;
    while (finished < total) {
      std::map<std::string, std::uint32_t> batch = receive(true);
      std::uint32_t reported = 0;
      for (std::size_t n = 1; n < batch_max; ++n) {
        const auto more = receive(false);
        if (more.empty()) break;
        for (const auto& [peer, count] : more) batch[peer] += count;
      }
      for (const auto& [peer, count] : batch) reported += count;
      if (const Result<void> written = store_.write(std::span(recording_.turns).subspan(finished, reported));
          !written)
        return fail(written.error());
      finished += reported;
      for (const auto& [peer, count] : batch) award(peer, count);
    }
    const double elapsed = seconds_since(begun);
    for (const auto& [peer, done] : peers_) send(peer, frame_of(0, 0));
    return total / elapsed;
  }

 private:
  /// One message: the sender and the number of its reports. Empty: there is none.
  std::map<std::string, std::uint32_t> receive(bool wait) {
    zmq::message_t peer;
    zmq::message_t body;
    if (!socket_.recv(peer, wait ? zmq::recv_flags::none : zmq::recv_flags::dontwait)) return {};
    static_cast<void>(socket_.recv(body));
    peers_[peer.to_string()] += count_in(body);
    return {{peer.to_string(), count_in(body)}};
  }
  void send(const std::string& peer, const std::string& frame) {
    socket_.send(zmq::buffer(peer), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(frame), zmq::send_flags::none);
  }
  /// Confirms that the reports are durable and awards as many new tasks, while there are any.
  void award(const std::string& peer, std::uint32_t count) {
    const auto total = static_cast<std::uint32_t>(recording_.turns.size());
    const std::uint32_t given = std::min(count, total - awarded_);
    awarded_ += given;
    if (given > 0) send(peer, frame_of(given, recording_.award_bytes));
  }

  const Recording& recording_;
  int agents_;
  int capacity_;
  RawLmdb& store_;
  zmq::context_t context_;
  zmq::socket_t socket_{context_, zmq::socket_type::router};
  std::map<std::string, std::uint32_t> peers_;
  std::uint32_t awarded_ = 0;
};

/// The body of the server's process; writes the figure into the pipe, or nothing.
void be_server(const Recording& recording, int agents, int capacity, const std::string& folder,
               const std::string& endpoint, int out) {
  Result<std::unique_ptr<RawLmdb>> store = RawLmdb::create(folder);
  if (!store || !(*store)->write(recording.before)) return;
  FloorServer server(recording, agents, capacity, **store, endpoint);
  const Result<double> rate = server.run();
  if (rate) static_cast<void>(::write(out, &*rate, sizeof *rate));
}

/// A child that runs `body` and ends. Errors: unavailable.
template <class Body>
Result<pid_t> in_child(Body&& body) {
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Errc::unavailable, "cannot start a process");
  if (pid > 0) return pid;
  int code = 0;
  try {
    body();
  } catch (const zmq::error_t&) {
    code = 1;
  }
  ::_exit(code);
}

}  // namespace

Result<double> run_floor(const Recording& recording, int agents, int capacity, const std::string& folder) {
  const std::string endpoint = fmt::format("ipc://{}/floor", folder);
  int pipe[2];
  if (::pipe(pipe) != 0) return fail(Errc::unavailable, "cannot make a pipe");
  std::vector<pid_t> children;
  const Result<pid_t> server =
      in_child([&] { be_server(recording, agents, capacity, folder, endpoint, pipe[1]); });
  ::close(pipe[1]);
  if (server) children.push_back(*server);
  for (int i = 0; server && i < agents; ++i)
    if (const Result<pid_t> agent = in_child([&] { be_agent(endpoint, recording.report_bytes); }); agent)
      children.push_back(*agent);
  double rate = 0;
  const bool told = ::read(pipe[0], &rate, sizeof rate) == sizeof rate;
  ::close(pipe[0]);
  for (const pid_t child : children) {
    if (!told) ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  if (!told) return fail(Errc::failed, "the floor program did not finish");
  return rate;
}

}  // namespace bidboard::bench
