#include "agents/guard/guard.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include "blackboard/fmt.hpp"
#include "tests/agents/guarded.hpp"

using namespace bidboard;

namespace {

Descriptor open_log(const std::string& path) {
  return Descriptor(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

bool is_locked(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC));
  return file && flock(file.get(), LOCK_EX | LOCK_NB) != 0;
}

/// An agent in its own process, which starts the guard and then waits to be killed.
class OtherAgent {
 public:
  explicit OtherAgent(const GuardSpec& spec) {
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      const auto process = start_guarded(spec);
      for (;;) pause();
    }
  }
  ~OtherAgent() { kill_it(); }
  void kill_it() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("a command's exit status and output come through") {
  GuardedProcess process =
      std::move(*start_guarded(shell("read word; echo got $word; echo oops >&2; exit 3")));
  REQUIRE(write(process.input.get(), "hello\n", 6) == 6);
  const GuardReport started = await_report(process);
  CHECK(started.word == GuardWord::started);
  CHECK(started.code > 0);
  const GuardReport end = await_report(process);
  CHECK(end.word == GuardWord::exited);
  CHECK(end.code == 3);
  CHECK(end.killed == 0);
  CHECK(process.ended());
  CHECK_FALSE(process.next_report());

  char text[64];
  CHECK(std::string(text, static_cast<std::size_t>(read(process.output.get(), text, sizeof text))) ==
        "got hello\n");
  CHECK(std::string(text, static_cast<std::size_t>(read(process.errors.get(), text, sizeof text))) ==
        "oops\n");
}

TEST_CASE("a command ended by a signal is distinguished from one that exits") {
  GuardedProcess process = std::move(*start_guarded(shell("kill -9 $$")));
  const GuardReport end = await_end(process);
  CHECK(end.word == GuardWord::signalled);
  CHECK(end.code == SIGKILL);
}

TEST_CASE("the command gets its environment, its directory and no foreign descriptors") {
  const TempDir dir;
  const Descriptor foreign(dup(2));  // inheritable, as some libraries leave them
  GuardSpec spec = shell("pwd -P; echo $NAME; ls /proc/self/fd 2>/dev/null | wc -l");
  spec.environment.push_back("NAME=value");
  spec.directory = dir.path();
  GuardedProcess process = std::move(*start_guarded(spec));
  CHECK(await_end(process).word == GuardWord::exited);
  char text[512];
  const std::string said(text, static_cast<std::size_t>(read(process.output.get(), text, sizeof text)));
  CHECK(said.find(dir.path() + "\nvalue\n") != std::string::npos);
#if defined(__linux__)
  CHECK(said.substr(said.rfind('\n', said.size() - 2) + 1) == "4\n");  // 0, 1, 2 and the directory it lists
#endif
}

TEST_CASE("a command that cannot be executed is reported with the step and the reason") {
  GuardSpec spec = shell("true");
  SECTION("no such program") {
    spec.argv = {"/no/such/program"};
    GuardedProcess process = std::move(*start_guarded(spec));
    const GuardReport end = await_report(process);
    CHECK(end.word == GuardWord::exec_failed);
    CHECK(end.phase == GuardPhase::exec);
    CHECK(end.code == ENOENT);
    CHECK(end.killed == 0);
  }
  SECTION("no such directory") {
    spec.directory = "/no/such/directory";
    GuardedProcess process = std::move(*start_guarded(spec));
    const GuardReport end = await_report(process);
    CHECK(end.word == GuardWord::exec_failed);
    CHECK(end.phase == GuardPhase::directory);
    CHECK(end.code == ENOENT);
  }
  SECTION("a lock file that cannot be opened") {
    spec.lock_path = "/no/such/directory/t1.lock";
    GuardedProcess process = std::move(*start_guarded(spec));
    const GuardReport end = await_report(process);
    CHECK(end.word == GuardWord::exec_failed);
    CHECK(end.phase == GuardPhase::lock);
    CHECK(end.code == ENOENT);
  }
}

TEST_CASE("a stop ends the command, and one that ignores TERM is killed") {
  const TempDir dir;
  GuardSpec spec;
  bool ignores = false;
  SECTION("TERM is enough") {
    spec =
        shell(fmt::format("trap 'echo bye > {}/bye; exit 0' TERM; echo > {}/up; while :; do sleep 0.01; done",
                          dir.path(), dir.path()));
  }
  SECTION("TERM is ignored") {
    ignores = true;
    spec = shell(fmt::format("trap '' TERM; echo > {}/up; while :; do sleep 0.01; done", dir.path()));
    spec.grace = milliseconds(50);
  }
  GuardedProcess process = std::move(*start_guarded(spec));
  const pid_t command = await_report(process).code;
  REQUIRE(eventually([&] { return !contents(dir.path() + "/up").empty(); }));
  process.stop();
  process.stop();
  const GuardReport end = await_report(process);
  CHECK(end.word == GuardWord::stopped);
  CHECK(end.killed >= 1);
  CHECK_FALSE(lives(command));
  CHECK(contents(dir.path() + "/bye").empty() == ignores);
}

TEST_CASE("TERM sent to the guard stops its command, ctrl-C does not") {
  GuardedProcess process = std::move(*start_guarded(shell("sleep 1000")));
  CHECK(await_report(process).word == GuardWord::started);
  kill(process.guard_pid(), SIGINT);
  kill(process.guard_pid(), SIGHUP);
  CHECK(getsid(process.guard_pid()) == process.guard_pid());
  kill(process.guard_pid(), SIGTERM);
  CHECK(await_report(process).word == GuardWord::stopped);
}

TEST_CASE("a command over its time is stopped, and its output file says so") {
  const TempDir dir;
  const Descriptor log = open_log(dir.path() + "/log");
  GuardSpec spec = shell("exec sleep 1000");
  spec.timeout = milliseconds(20);
  spec.log = log.get();
  GuardedProcess process = std::move(*start_guarded(spec));
  // On a busy machine the limit is reached before the exec, and then no start is reported.
  const GuardReport end = await_end(process);
  CHECK(end.word == GuardWord::timed_out);
  CHECK(end.killed == 1);
  const std::string said = contents(dir.path() + "/log");
  const std::string begins = "[guard] time limit of 20 ms reached: stopped process group ";
  REQUIRE(said.starts_with(begins));
  const pid_t command = std::stoi(said.substr(begins.size()));
  CHECK(said == fmt::format("{}{} (1 process)\n", begins, command));
  CHECK_FALSE(lives(command));
}

TEST_CASE("what a command leaves behind is stopped with it") {
  const TempDir dir;
  const std::string pid_file = dir.path() + "/pid";
  GuardSpec spec;
  SECTION("in its process group") { spec = shell("sleep 1000 & echo $! > " + pid_file); }
#if defined(__linux__)
  SECTION("a daemon in a session of its own") {
    spec = shell(
        fmt::format("setsid sh -c 'echo $$ > {}; exec sleep 1000' & until test -s {}; do sleep 0.01; done",
                    pid_file, pid_file));
  }
  SECTION("a daemon that ignores TERM and forks again") {
    spec =
        shell(fmt::format("setsid sh -c 'trap \"\" TERM; sh -c \"trap : TERM; while :; do sleep 1000; done\" "
                          "& echo $! > {}; wait; wait; sleep 1000' & until test -s {}; do sleep 0.01; done",
                          pid_file, pid_file));
    spec.grace = milliseconds(50);
  }
#endif
  GuardedProcess process = std::move(*start_guarded(spec));
  const GuardReport end = await_end(process);
  CHECK(end.word == GuardWord::exited);
  CHECK(end.code == 0);
  CHECK(end.killed >= 1);
  CHECK_FALSE(lives(pid_from(pid_file)));
}

TEST_CASE("a process that ends by itself just after the command is not stopped") {
  GuardSpec spec = shell("(sleep 0.02; echo late) &");
  spec.linger = seconds(30);
  GuardedProcess process = std::move(*start_guarded(spec));
  CHECK(await_end(process).killed == 0);
  char text[16];
  CHECK(std::string(text, static_cast<std::size_t>(read(process.output.get(), text, sizeof text))) ==
        "late\n");
}

TEST_CASE("an agent killed by SIGKILL leaves nothing running") {
  const TempDir dir;
  const Descriptor log = open_log(dir.path() + "/log");
  GuardSpec spec =
      shell(fmt::format("trap '' TERM; sleep 1000 & echo $! > {}/sleeper; echo $$ > {}/command; wait; wait; "
                        "while :; do sleep 1000; done",
                        dir.path(), dir.path()));
  spec.lock_path = dir.path() + "/t1.lock";
  spec.scratch = {dir.path() + "/needs.json"};
  spec.grace = milliseconds(100);
  spec.log = log.get();
  std::ofstream(spec.scratch[0]) << "{}";
  OtherAgent agent(spec);
  const pid_t command = pid_from(dir.path() + "/command");
  const pid_t sleeper = pid_from(dir.path() + "/sleeper");
  REQUIRE(is_locked(spec.lock_path));

  agent.kill_it();

  CHECK(eventually([&] { return !lives(command) && !lives(sleeper); }));
  CHECK(eventually([&] { return !std::filesystem::exists(spec.lock_path); }));
  CHECK_FALSE(std::filesystem::exists(spec.scratch[0]));
  CHECK(contents(dir.path() + "/log")
            .starts_with(fmt::format("[guard] agent gone: stopped process group {}", command)));
}

TEST_CASE("two executions under one lock never overlap, though the first agent was killed a moment ago") {
  const TempDir dir;
  // mkdir is atomic: an execution that finds the other's mark overlapped with it. It ends slowly, and prints
  // nothing, since the dead agent's pipe would end it by SIGPIPE.
  const auto command = [&](const std::string& name) {
    return fmt::format(
        "exec 2>/dev/null; trap 'sleep 0.1; rmdir {}/here; exit 0' TERM; mkdir {}/here || echo overlap >> "
        "{}/verdict; echo > {}/{}; while :; do sleep 0.01; done",
        dir.path(), dir.path(), dir.path(), dir.path(), name);
  };
  GuardSpec spec = shell(command("first"));
  spec.lock_path = dir.path() + "/t1.lock";
  spec.grace = seconds(20);
  OtherAgent agent(spec);
  REQUIRE(eventually([&] { return !contents(dir.path() + "/first").empty(); }));
  agent.kill_it();

  GuardSpec again = shell(command("second"));
  again.lock_path = spec.lock_path;
  again.grace = spec.grace;
  const Descriptor log = open_log(dir.path() + "/log");
  again.log = log.get();
  GuardedProcess process = std::move(*start_guarded(again));
  CHECK(await_report(process).word == GuardWord::started);
  REQUIRE(eventually([&] { return !contents(dir.path() + "/second").empty(); }));
  process.stop();
  CHECK(await_report(process).word == GuardWord::stopped);
  CHECK(contents(dir.path() + "/verdict") == "");
  CHECK(contents(dir.path() + "/log").find("an earlier execution of this task still runs") !=
        std::string::npos);
}

TEST_CASE("waiting for the lock ends at a time limit, when stopped, or when the agent dies") {
  const TempDir dir;
  const std::string path = dir.path() + "/t1.lock";
  const Descriptor holder(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(flock(holder.get(), LOCK_EX) == 0);
  const Descriptor log = open_log(dir.path() + "/log");
  GuardSpec spec = shell(fmt::format("echo ran > {}/ran", dir.path()));
  spec.lock_path = path;
  spec.log = log.get();
  const auto waiting = [&] { return contents(dir.path() + "/log").find("waiting") != std::string::npos; };

  SECTION("too long") {
    spec.lock_wait = milliseconds(1);
    GuardedProcess process = std::move(*start_guarded(spec));
    CHECK(await_report(process).word == GuardWord::lock_timeout);
  }
  SECTION("stopped") {
    GuardedProcess process = std::move(*start_guarded(spec));
    REQUIRE(eventually(waiting));
    process.stop();
    CHECK(await_report(process).word == GuardWord::stopped);
  }
  SECTION("agent gone") {
    spec.scratch = {dir.path() + "/needs.json"};
    std::ofstream(spec.scratch[0]) << "{}";
    OtherAgent agent(spec);
    REQUIRE(eventually(waiting));
    agent.kill_it();
    CHECK(eventually([&] { return !std::filesystem::exists(spec.scratch[0]); }));
  }
  CHECK_FALSE(std::filesystem::exists(dir.path() + "/ran"));
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("a guard that is killed takes its command with it and counts as lost") {
  const TempDir dir;
  GuardSpec spec = shell("exec sleep 1000");
  spec.lock_path = dir.path() + "/t1.lock";
  GuardedProcess process = std::move(*start_guarded(spec));
  const pid_t command = await_report(process).code;
  kill(process.guard_pid(), SIGKILL);
  CHECK(await_report(process).word == GuardWord::lost);
#if defined(__linux__)
  CHECK(eventually([&] { return !lives(command); }));
#else
  kill(command, SIGKILL);
#endif
}

#if defined(__linux__)
TEST_CASE("the lock outlives a killed guard while a grandchild lives") {
  const TempDir dir;
  GuardSpec spec = shell(fmt::format("sleep 1000 & echo $! > {}/pid; wait", dir.path()));
  spec.lock_path = dir.path() + "/t1.lock";
  GuardedProcess process = std::move(*start_guarded(spec));
  const pid_t grandchild = pid_from(dir.path() + "/pid");
  const pid_t command = await_report(process).code;
  kill(process.guard_pid(), SIGKILL);
  CHECK(await_report(process).word == GuardWord::lost);
  REQUIRE(eventually([&] { return !lives(command); }));
  REQUIRE(lives(grandchild));
  CHECK(is_locked(spec.lock_path));
  kill(grandchild, SIGKILL);
  CHECK(eventually([&] { return !is_locked(spec.lock_path); }));
}
#endif

TEST_CASE("a guarded process that goes out of scope is stopped") {
  pid_t command = 0;
  {
    GuardedProcess process = std::move(*start_guarded(shell("sleep 1000")));
    command = await_report(process).code;
    CHECK(lives(command));
  }
  CHECK_FALSE(lives(command));
}

TEST_CASE("the CPU time of the whole process tree is counted") {
  GuardedProcess process =
      std::move(*start_guarded(shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")));
  const GuardReport end = await_end(process);
  CHECK(end.cpu_us > 0);
  CHECK(end.wall_us > 0);
}

TEST_CASE("a watched process is seen to end") {
  GuardedProcess process = std::move(*start_guarded(shell("sleep 1000")));
  const pid_t command = await_report(process).code;
  const auto ticks = process_start_ticks(command);
  const auto watch = watch_process(command, ticks);
  if (!watch) {
    CHECK(watch.error().code == Errc::unsupported);
    return;
  }
  pollfd item{watch->get(), POLLIN, 0};
  CHECK(poll(&item, 1, 0) == 0);
  REQUIRE(ticks);
  CHECK(watch_process(command, *ticks + 1).error().code ==
        Errc::not_found);  // another process with the same number
  process.stop();
  CHECK(poll(&item, 1, 60'000) == 1);
  CHECK(await_report(process).word == GuardWord::stopped);
  CHECK(watch_process(command).error().code == Errc::not_found);
}
