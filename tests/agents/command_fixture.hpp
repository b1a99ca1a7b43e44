// A command executor in a folder of its own.
#pragma once

#include <string>

#include "agents/executors/command.hpp"
#include "tests/agents/executor_driver.hpp"

namespace bidboard {

struct CommandFixture {
  TempDir dir;
  CommandOptions options;

  explicit CommandFixture(const std::string& exec) {
    options.place = {dir.path(), "worker", ""};
    options.exec = exec;
  }
  std::string output(Epoch epoch = {1}) const { return contents(dir.path() + "/" + output_name({1}, epoch)); }
  ExecutionEnded run(const Assignment& given) {
    CommandExecutor executor(options);
    Driver driver(executor);
    REQUIRE(executor.start(given, real_now()));
    const ExecutionEnded ended = driver.await_end();
    CHECK(executor.running() == 0);
    return ended;
  }
};

}  // namespace bidboard
