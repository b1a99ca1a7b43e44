#include "runtime/drivers/suspects.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "agents/guard/descriptor.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

constexpr std::size_t most_known = 256;
constexpr std::array crash_signals{SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

}  // namespace

/// The file's content. All zeros means empty.
struct Suspects::Mapped {
  struct Known {
    std::uint64_t digest;
    std::uint32_t crashes;
  };
  char version[16];
  volatile std::uint32_t crashed;  ///< set by the signal handler
  std::uint32_t under_way;
  std::uint32_t known_count;
  std::uint64_t digests[most_under_way];
  Known known[most_known];

  Known* find(std::uint64_t digest) {
    Known* const end = known + known_count;
    Known* const found = std::find_if(known, end, [&](const Known& k) { return k.digest == digest; });
    return found == end ? nullptr : found;
  }
  void blame(std::uint64_t digest) {
    if (Known* before = find(digest)) {
      before->crashes += 1;
    } else if (known_count < most_known) {
      known[known_count++] = {digest, 1};
    }
  }
};

namespace {

volatile std::uint32_t* crashed_flag = nullptr;
std::array<struct sigaction, crash_signals.size()> earlier_actions{};

void restore_actions() {
  for (std::size_t i = 0; i < crash_signals.size(); ++i)
    ::sigaction(crash_signals[i], &earlier_actions[i], nullptr);
}

/// Async-signal-safe: one store, then the signal's default action.
void on_crash(int number) {
  if (crashed_flag) *crashed_flag = 1;
  restore_actions();
  ::raise(number);
}

}  // namespace

Result<std::unique_ptr<Suspects>> Suspects::open(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0 || ::ftruncate(file.get(), sizeof(Mapped)) != 0)
    return fail(Errc::storage, fmt::format("cannot make {}: {}", path, std::strerror(errno)));
  void* const address = ::mmap(nullptr, sizeof(Mapped), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED)
    return fail(Errc::storage, fmt::format("cannot map {}: {}", path, std::strerror(errno)));
  auto* mapped = static_cast<Mapped*>(address);
  Mapped& m = *mapped;
  const bool ours = std::strncmp(m.version, BIDBOARD_VERSION, sizeof m.version) == 0;
  if (!ours || m.under_way > most_under_way || m.known_count > most_known) m = Mapped{};
  std::strncpy(m.version, BIDBOARD_VERSION, sizeof m.version - 1);
  if (m.crashed)
    for (std::uint32_t i = 0; i < m.under_way; ++i) m.blame(m.digests[i]);
  m.crashed = 0;
  m.under_way = 0;
  crashed_flag = &m.crashed;
  struct sigaction action {};
  action.sa_handler = on_crash;
  for (std::size_t i = 0; i < crash_signals.size(); ++i)
    ::sigaction(crash_signals[i], &action, &earlier_actions[i]);
  return std::unique_ptr<Suspects>(new Suspects(mapped));
}

Suspects::~Suspects() {
  restore_actions();
  crashed_flag = nullptr;
  ::munmap(mapped_, sizeof(Mapped));
}

void Suspects::begin(std::span<const std::uint64_t> digests) {
  const std::size_t count = std::min(digests.size(), most_under_way);
  std::copy_n(digests.begin(), count, mapped_->digests);
  mapped_->under_way = static_cast<std::uint32_t>(count);
}

void Suspects::end() {
  for (std::uint32_t i = 0; mapped_->known_count > 0 && i < mapped_->under_way; ++i)
    if (Mapped::Known* cleared = mapped_->find(mapped_->digests[i]))
      *cleared = mapped_->known[--mapped_->known_count];
  mapped_->under_way = 0;
}

std::uint32_t Suspects::crashes(std::uint64_t digest) const {
  const Mapped::Known* known = mapped_->find(digest);
  return known ? known->crashes : 0;
}

bool Suspects::any() const { return mapped_->known_count > 0; }

}  // namespace bidboard
