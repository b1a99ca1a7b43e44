#include "experiments/bench/peers/dask.hpp"

#include "blackboard/text/document.hpp"
#include "experiments/bench/support.hpp"

namespace bidboard::bench {
namespace {

constexpr const char* script = R"py(
import json, statistics, sys, time
from distributed import Client, LocalCluster

def same(number):
    return number

def next_of(number):
    return number + 1

if __name__ == "__main__":
    tasks, chain, workers = map(int, sys.argv[1:])
    with LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None,
                      local_directory=".") as cluster, Client(cluster) as client:
        client.gather(client.map(same, range(100), pure=False))
        begun = time.perf_counter()
        results = client.gather(client.map(same, range(tasks), pure=False))
        rate = tasks / (time.perf_counter() - begun)
        begun = time.perf_counter()
        link = client.submit(next_of, 0, pure=False)
        for _ in range(chain - 1):
            link = client.submit(next_of, link, pure=False)
        assert link.result() == chain
        chain_seconds = time.perf_counter() - begun
        latencies = []
        for number in range(200):
            begun = time.perf_counter()
            client.submit(same, number, pure=False).result()
            latencies.append(time.perf_counter() - begun)
    print(json.dumps({"rate": rate, "chain_seconds": chain_seconds, "lost": tasks - len(set(results)),
                      "result_ms": statistics.median(latencies) * 1000}))
)py";

}  // namespace

Result<DaskRun> run_dask(std::int64_t tasks, std::int64_t chain, int workers) {
  const Workspace place;
  place.write("peer.py", script);
  const Result<Ran> ran =
      run("/usr/bin/python3", place.path(),
          {"peer.py", std::to_string(tasks), std::to_string(chain), std::to_string(workers)});
  if (!ran)
    return fail(Errc::unavailable, "Dask did not run; `./dev bench peers` installs it (python3-distributed)");
  const Result<Value> told = parse_json(ran->output);
  if (!told) return fail(told.error());
  const auto number = [&](const char* name) {
    const Value* value = told->find(name);
    return value && value->is_number() ? value->number() : 0.0;
  };
  return DaskRun{number("rate"), number("chain_seconds"), number("result_ms"),
                 static_cast<std::int64_t>(number("lost"))};
}

}  // namespace bidboard::bench
