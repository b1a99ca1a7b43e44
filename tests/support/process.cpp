#include "tests/support/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "blackboard/fmt.hpp"
#include "tests/support/eventually.hpp"

extern char** environ;

namespace bidboard::testing {

const std::chrono::seconds patience = [] {
  const char* text = std::getenv("TEST_PATIENCE");
  return std::chrono::seconds(text ? std::atoi(text) : 60);
}();

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

File unnamed_file(const std::string& content) {
  File file(std::tmpfile());
  if (!file) throw std::runtime_error("no temporary file can be made");
  ::fcntl(::fileno(file.get()), F_SETFD, FD_CLOEXEC);
  std::fwrite(content.data(), 1, content.size(), file.get());
  std::fflush(file.get());
  ::lseek(::fileno(file.get()), 0, SEEK_SET);
  return file;
}

std::string content_of(std::FILE* file) {
  std::string text;
  char buffer[16 * 1024];
  ssize_t n = 0;
  while ((n = ::pread(::fileno(file), buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0)
    text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

std::vector<std::string> environment_of(const ProcessOptions& options) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool replaced = options.environment.contains(std::string(text.substr(0, text.find('='))));
    if (!replaced && !text.starts_with("BIDBOARD_")) variables.emplace_back(text);
  }
  for (const auto& [name, value] : options.environment)
    variables.push_back(fmt::format("{}={}", name, value));
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// The test framework's signal handlers must not print in a child that is killed before exec.
void forget_handlers() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
}

}  // namespace

struct Process::State {
  pid_t pid = 0;
  std::optional<int> exit_code;
  File in, out, err;

  bool ended() {
    int status = 0;
    if (!exit_code && ::waitpid(pid, &status, WNOHANG) == pid)
      exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return exit_code.has_value();
  }
};

Process::Process(std::vector<std::string> argv, const ProcessOptions& options)
    : state_(std::make_unique<State>()) {
  state_->in = unnamed_file(options.input);
  state_->out = unnamed_file({});
  state_->err = unnamed_file({});
  std::vector<std::string> variables = environment_of(options);
  const std::vector<char*> words = pointers_to(argv);
  const std::vector<char*> environment = pointers_to(variables);
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  state_->pid = ::fork();
  if (state_->pid == 0) forget_handlers();
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (state_->pid < 0) throw std::runtime_error("no process can be started");
  if (state_->pid > 0) return;
  for (const int fd : options.close_in_child) ::close(fd);
  ::dup2(::fileno(state_->in.get()), STDIN_FILENO);
  ::dup2(::fileno(state_->out.get()), STDOUT_FILENO);
  ::dup2(::fileno(state_->err.get()), STDERR_FILENO);
  if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(127);
  char ignored = 0;
  if (options.begin_when_closed >= 0) static_cast<void>(!::read(options.begin_when_closed, &ignored, 1));
  environ = const_cast<char**>(environment.data());
  ::execvp(words[0], words.data());
  ::_exit(127);
}

Process::Process(Process&&) noexcept = default;

Process& Process::operator=(Process&& other) noexcept {
  stop();
  state_ = std::move(other.state_);
  return *this;
}

Process::~Process() { stop(); }

void Process::stop() {
  if (!state_ || state_->ended()) return;
  ::kill(state_->pid, SIGTERM);
  ::kill(state_->pid, SIGCONT);
  if (!eventually([&] { return state_->ended(); }, std::chrono::seconds(20))) kill();
}

pid_t Process::pid() const { return state_->pid; }
bool Process::running() { return !state_->ended(); }
void Process::signal(int number) {
  if (running()) ::kill(state_->pid, number);
}

int Process::wait(std::chrono::seconds limit) {
  if (eventually([&] { return state_->ended(); }, limit)) return *state_->exit_code;
  kill();
  return -1;
}

void Process::kill() {
  signal(SIGKILL);
  while (!state_->ended()) ::poll(nullptr, 0, 1);
}

std::string Process::out() const { return content_of(state_->out.get()); }
std::string Process::err() const { return content_of(state_->err.get()); }

Finished run_program(std::vector<std::string> argv, const ProcessOptions& options) {
  Process process(std::move(argv), options);
  const int exit_code = process.wait();
  return {exit_code, process.out(), process.err()};
}

bool process_exists(pid_t pid) {
  if (::kill(pid, 0) != 0) return false;
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  if (!std::getline(file, text)) return !file.is_open();
  const std::size_t end_of_name = text.rfind(')');
  return end_of_name == std::string::npos || text.compare(end_of_name, 3, ") Z") != 0;
}

}  // namespace bidboard::testing
