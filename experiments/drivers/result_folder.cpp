#include "experiments/drivers/result_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>
#include <utility>

#include "blackboard/fmt.hpp"
#include "experiments/identity.hpp"
#include "experiments/report.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> cannot(std::string_view what, const std::string& path) {
  return fail(Errc::storage, fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
}

bool write_fully(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

/// Empty: there is no such file.
Result<std::string> read_file(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return std::string();
    return cannot("read", path);
  }
  if (!S_ISREG(info.st_mode)) return fail(Errc::storage, fmt::format("{} is not a regular file", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) return cannot("read", path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return cannot("read", path);
  return text;
}

/// The lines of a file that count, and what is wrong with the others.
struct Lines {
  std::vector<Value> values;
  std::string good;    ///< their text
  bool whole = false;  ///< which is the whole file
  std::vector<std::string> warnings;
};

/// `check` says what is wrong with a line, or nothing.
template <class Check>
Result<Lines> read_lines(const std::string& path, Check&& check) {
  const Result<std::string> text = read_file(path);
  if (!text) return fail(text.error());
  Lines lines;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    const std::string_view line = std::string_view(*text).substr(at, end - at);
    at = end + 1;
    ++number;
    Result<Value> value = parse_json(line);
    std::string wrong = value ? check(*value) : value.error().text;
    if (end == text->size() && !wrong.empty()) wrong = "it is cut off";
    if (wrong.empty()) {
      lines.values.push_back(std::move(*value));
      lines.good.append(line).push_back('\n');
    } else {
      lines.warnings.push_back(fmt::format("{}:{} does not count: {}", path, number, wrong));
    }
  }
  lines.whole = lines.good == *text;
  return lines;
}

std::string what_is_wrong_with_run(const ExperimentNames& names, const Value& line) {
  const Result<RunRecord> run = read_run(line);
  if (!run) return run.error().text;
  if (!has_place(names, run->cell)) return fmt::format("there is no cell {}", name_of(run->cell));
  return is_below_bound(run->measured) ? "its makespan is below the bound of any schedule" : "";
}

std::string what_is_wrong_with_chart(const Value& line) {
  const Value* rows = line.find("executions");
  return text_of(line, "cell").empty() || !rows || !rows->is_array() ? "it is not a chart" : "";
}

/// Reads the lines, and takes out of the file those that cannot be read: the next line would be glued to one
/// that is cut off.
template <class Check>
Result<Lines> repair_lines(const std::string& path, Check&& check) {
  Result<Lines> lines = read_lines(path, check);
  if (!lines || lines->whole) return lines;
  if (const Result<void> written = write_file(path, lines->good); !written) return fail(written.error());
  return lines;
}

Value gantt_line(const Cell& cell, const RunFacts& facts) {
  Value rows{Value::Array{}};
  const auto rounded = [](double seconds) {
    return Value(static_cast<double>(static_cast<std::int64_t>(seconds * 1e3)) / 1e3);
  };
  for (const ExecutionFacts& e : facts.executions) {
    Value row{Value::Array{}};
    row.push(static_cast<std::int64_t>(e.task));
    row.push(static_cast<std::int64_t>(e.agent));
    row.push(rounded(e.begin));
    row.push(rounded(e.end));
    row.push(e.useful ? 1 : 0);
    rows.push(std::move(row));
  }
  Value line{Value::Object{}};
  line.set("cell", name_of(cell));
  line.set("executions", std::move(rows));
  return line;
}

/// In the order of cells_of(), whichever thread finished first.
void in_order(std::vector<RunRecord>& runs) {
  std::sort(runs.begin(), runs.end(), [](const RunRecord& a, const RunRecord& b) {
    const auto key = [](const Cell& c) {
      return std::tuple(c.workload, c.agents, c.faults, c.seed, c.strategy);
    };
    return key(a.cell) < key(b.cell);
  });
}

Result<void> check_same_runs(const std::string& folder, const Value& before, const Value& identity) {
  const Value* runs_of = before.find("runs_of");
  if (!runs_of)
    return fail(Errc::conflict,
                fmt::format("{} holds results of another version of Bidboard; choose another --out", folder));
  const std::string different = differing_parts(*runs_of, identity);
  if (different.empty()) return {};
  return fail(Errc::conflict, fmt::format("{} holds the results of another experiment (other {}); choose "
                                          "another --out",
                                          folder, different));
}

/// experiment.json.
struct Description {
  ExperimentNames names;
  std::string made_by;
};

Result<Description> read_description(const std::string& folder) {
  const std::string path = folder + "/experiment.json";
  const Result<std::string> text = read_file(path);
  if (!text) return fail(text.error());
  if (text->empty())
    return fail(
        Errc::not_found,
        fmt::format("no results in {0}; `bidboard experiment run FILE --out {0}` makes some", folder));
  const Result<Value> value = parse_json(*text);
  if (!value) return fail(Errc::corrupt, fmt::format("{}:{}", path, value.error().text));
  Result<ExperimentNames> names = read_names(*value);
  if (!names) return fail(Errc::corrupt, fmt::format("{}: {}", path, names.error().text));
  return Description{std::move(*names), text_of(*value, "made_by")};
}

}  // namespace

Result<void> write_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return cannot("write", path);
  const bool written = write_fully(fd, text) && ::fsync(fd) == 0;
  const int reason = errno;
  const bool closed = ::close(fd) == 0;
  if (written && closed && ::rename(fresh.c_str(), path.c_str()) == 0) return {};
  if (!written) errno = reason;
  auto error = cannot("write", path);
  ::unlink(fresh.c_str());
  return error;
}

Result<LineFile> LineFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return cannot("write", path);
  return LineFile(fd, path);
}
LineFile::LineFile(LineFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
LineFile& LineFile::operator=(LineFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}
LineFile::~LineFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> LineFile::append(std::string line) {
  line.push_back('\n');
  const off_t before = ::lseek(fd_, 0, SEEK_END);
  if (write_fully(fd_, line)) return {};
  auto error = cannot("write", path_);
  // Best effort: the next to open the file cuts a torn line.
  if (before >= 0) static_cast<void>(::ftruncate(fd_, before) == 0);
  return error;
}

Result<std::unique_ptr<ResultFolder>> ResultFolder::open(const Experiment& experiment,
                                                         const std::string& path,
                                                         const std::string& made_by) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail(Errc::storage, fmt::format("cannot make {}: {}", path, error.message()));
  const ExperimentNames names = names_of(experiment);
  Value description = to_value(names);
  description.set("runs_of", identity_of(experiment));
  description.set("made_by", made_by);
  const std::string described = path + "/experiment.json";
  const Result<std::string> text = read_file(described);
  if (!text) return fail(text.error());
  if (!text->empty()) {
    const Result<Value> before = parse_json(*text);
    if (!before) return fail(Errc::corrupt, fmt::format("{}:{}", described, before.error().text));
    if (const Result<void> same = check_same_runs(path, *before, *description.find("runs_of")); !same)
      return fail(same.error());
  }
  if (const Result<void> written = write_file(described, to_json(description, 2) + "\n"); !written)
    return fail(written.error());
  Result<Lines> runs = repair_lines(path + "/runs.jsonl",
                                    [&](const Value& line) { return what_is_wrong_with_run(names, line); });
  if (!runs) return fail(runs.error());
  Result<Lines> charts = repair_lines(path + "/gantt.jsonl", what_is_wrong_with_chart);
  if (!charts) return fail(charts.error());
  Result<LineFile> run_file = LineFile::open(path + "/runs.jsonl");
  if (!run_file) return fail(run_file.error());
  Result<LineFile> gantt_file = LineFile::open(path + "/gantt.jsonl");
  if (!gantt_file) return fail(gantt_file.error());

  std::unique_ptr<ResultFolder> folder(new ResultFolder(std::move(*run_file), std::move(*gantt_file)));
  folder->results_.names = names;
  folder->results_.made_by = made_by;
  for (const std::vector<std::string>& warnings : {runs->warnings, charts->warnings})
    for (const std::string& warning : warnings)
      folder->results_.warnings.push_back(warning + "; the line was taken out");
  for (const Value& line : runs->values) folder->keep(*read_run(line));
  return folder;
}

bool ResultFolder::has(const Cell& cell) const { return done_.contains(name_of(cell)); }

Result<void> ResultFolder::add(RunRecord run, const RunFacts& facts) {
  if (run.cell.seed == 1)
    if (const Result<void> added = gantt_.append(to_json(gantt_line(run.cell, facts))); !added) return added;
  if (const Result<void> added = runs_.append(to_json(to_value(results_.names, run))); !added) return added;
  keep(std::move(run));
  return {};
}

Results ResultFolder::take() {
  in_order(results_.runs);
  return std::move(results_);
}

void ResultFolder::keep(RunRecord run) {
  // More seeds than now were asked for earlier.
  if (run.cell.seed > results_.names.seeds) return;
  if (done_.insert(name_of(run.cell)).second) results_.runs.push_back(std::move(run));
}

Result<Results> read_results(const std::string& folder) {
  Result<Description> description = read_description(folder);
  if (!description) return fail(description.error());
  Results results;
  results.names = std::move(description->names);
  results.made_by = std::move(description->made_by);
  Result<Lines> lines = read_lines(
      folder + "/runs.jsonl", [&](const Value& line) { return what_is_wrong_with_run(results.names, line); });
  if (!lines) return fail(lines.error());
  results.warnings = std::move(lines->warnings);
  std::set<std::string> seen;
  for (const Value& line : lines->values) {
    RunRecord run = *read_run(line);
    if (run.cell.seed > results.names.seeds || !seen.insert(name_of(run.cell)).second) continue;
    results.runs.push_back(std::move(run));
  }
  in_order(results.runs);
  return results;
}

Result<GanttChart> read_chart(const std::string& folder, const std::string& cell) {
  const Result<Description> description = read_description(folder);
  if (!description) return fail(description.error());
  const Result<Lines> charts = read_lines(folder + "/gantt.jsonl", what_is_wrong_with_chart);
  if (!charts) return fail(charts.error());
  for (const Value& line : charts->values)
    if (text_of(line, "cell") == cell) return chart_of(description->names, line);
  return fail(
      Errc::not_found,
      fmt::format("{} has no chart of a cell '{}'; it has those of seed 1{}", folder, cell,
                  charts->values.empty() ? "" : ", such as " + text_of(charts->values.front(), "cell")));
}

Result<void> write_report(const std::string& folder, const Results& results) {
  const Result<Lines> charts = read_lines(folder + "/gantt.jsonl", what_is_wrong_with_chart);
  if (!charts) return fail(charts.error());
  if (const Result<void> csv = write_file(folder + "/runs.csv", to_csv(results)); !csv) return csv;
  return write_file(folder + "/report.html", report_page(results, charts->values));
}

}  // namespace bidboard
