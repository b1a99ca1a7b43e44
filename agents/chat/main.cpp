// bidboard-chat: asks a model over HTTP, once, and prints what comes (agents/clients/chat.hpp). The presets
// `openai` and `ollama` run it like the client of any other provider: a process of its own, which can be
// ended. A program of its own, so that no other one loads an HTTP library.
#include <curl/curl.h>
#include <getopt.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "agents/clients/chat.hpp"
#include "agents/executors/line_splitter.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard {
namespace {

constexpr long connect_seconds_max = 30;
constexpr std::size_t line_bytes_max = std::size_t{1} << 20;
/// Of an answer that is no stream: an error's text, or what a server prints that does not stream.
constexpr std::size_t body_bytes_max = std::size_t{8} << 20;
// Statuses of HTTP.
constexpr long first_success = 200;
constexpr long first_redirection = 300;
constexpr long bad_request = 400;

using Curl = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

/// What comes, as it comes.
struct Answer {
  CURL* curl;
  LineSplitter lines{line_bytes_max};
  std::string body = {};
  bool has_lost = false;  ///< more came than is taken

  bool is_stream() const {
    long status = 0;
    const char* type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    const std::string_view kind = type ? type : "";
    return status < first_redirection && !kind.starts_with("application/json");
  }
  bool take(std::string_view bytes) {
    if (!is_stream()) {
      has_lost = body.size() + bytes.size() > body_bytes_max;
      if (!has_lost) body.append(bytes);
      return !has_lost;
    }
    const LineSplitter::Lines fed = lines.feed(bytes);
    for (const std::string& line : fed.whole) print(line);
    has_lost = has_lost || fed.too_long > 0;
    return std::fflush(stdout) == 0;
  }
  static void print(std::string_view line) {
    if (const auto payload = chat_payload(line)) fmt::print("{}\n", *payload);
  }
};

std::size_t on_bytes(char* data, std::size_t size, std::size_t count, void* answer) {
  return static_cast<Answer*>(answer)->take({data, size * count}) ? size * count : 0;
}

/// An answer in one piece, which may be spread over lines.
void print_whole(const std::string& body) {
  if (const Result<Value> whole = parse_json(body)) return fmt::print("{}\n", to_json(*whole));
  for (const std::string& line : LineSplitter(line_bytes_max).feed(body + "\n").whole) Answer::print(line);
}

ChatEnd ask(const ChatRequest& request) {
  const Curl curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return {0, "no HTTP request can be made", {}, {}};
  Headers headers(nullptr, curl_slist_free_all);
  for (const std::string& header : request.headers)
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  Answer answer{curl.get()};
  char why[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, why);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, connect_seconds_max);
  curl_easy_setopt(curl.get(), CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  if (request.is_local) curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  const CURLcode code = curl_easy_perform(curl.get());

  ChatEnd end;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &end.status);
  if (code != CURLE_OK && !answer.has_lost)
    end.error = fmt::format("{}: {}", request.shown_url, *why ? why : curl_easy_strerror(code));
  const char* elsewhere = nullptr;
  curl_easy_getinfo(curl.get(), CURLINFO_REDIRECT_URL, &elsewhere);
  if (elsewhere && end.error.empty()) end.error = elsewhere;
  curl_header* wait = nullptr;
  if (curl_easy_header(curl.get(), "retry-after", 0, CURLH_HEADER, -1, &wait) == CURLHE_OK)
    end.retry_after = wait->value;
  Answer::print(answer.lines.take_rest());
  if (end.status >= first_redirection)
    end.body = answer.body.empty() ? fmt::format("HTTP status {} from {}", end.status, request.shown_url)
                                   : std::move(answer.body);
  else
    print_whole(answer.body);
  // Not JSON, so that the reader knows that a part is missing.
  if (answer.has_lost)
    fmt::print("more than {} bytes in a line, or {} in all, were left out\n", line_bytes_max, body_bytes_max);
  return end;
}

constexpr const char* usage =
    "Usage: bidboard-chat openai|ollama --model NAME < PROMPT\n"
    "       bidboard-chat --version\n\n"
    "Asks a model over HTTP, and prints what comes, one JSON event a line. The presets `openai`\n"
    "and `ollama` of bidboard.yaml run it (docs/coding-agents.md).\n\n"
    "  openai   at OPENAI_BASE_URL (else https://api.openai.com/v1), with the key OPENAI_API_KEY\n"
    "  ollama   at OLLAMA_HOST (else port 11434 of this machine), with the key OLLAMA_API_KEY, if any\n";

struct Args {
  std::string api;
  std::string model;
  bool help = false;
  bool version = false;
};

/// Nothing: they are wrong.
std::optional<Args> read_args(int argc, char** argv) {
  static const option options[] = {{"model", required_argument, nullptr, 'm'},
                                   {"help", no_argument, nullptr, 'h'},
                                   {"version", no_argument, nullptr, 'v'},
                                   {}};
  Args args;
  for (int key = 0; (key = getopt_long(argc, argv, "h", options, nullptr)) != -1;) {
    if (key == 'm')
      args.model = optarg;
    else if (key == 'h')
      args.help = true;
    else if (key == 'v')
      args.version = true;
    else
      return {};
  }
  if (args.help || args.version) return args;
  if (argc - optind != 1 || args.model.empty()) return {};
  args.api = argv[optind];
  return args.api == "openai" || args.api == "ollama" ? std::optional(args) : std::nullopt;
}

int run(const Args& args) {
  const std::string prompt(std::istreambuf_iterator<char>(std::cin), {});
  const ChatRequest request =
      chat_request(args.api == "openai" ? ChatApi::openai : ChatApi::ollama, args.model, prompt,
                   [](const char* name) -> const char* { return std::getenv(name); });
  const ChatEnd end = request.flaw.empty() ? ask(request) : ChatEnd{bad_request, {}, request.flaw, {}};
  fmt::print("{}", chat_end_line(end));
  const bool is_done = end.status >= first_success && end.status < first_redirection && end.error.empty();
  return std::fflush(stdout) == 0 && is_done ? 0 : 1;
}

}  // namespace
}  // namespace bidboard

int main(int argc, char** argv) try {
  const auto args = bidboard::read_args(argc, argv);
  if (!args) {
    fmt::print(stderr, "{}", bidboard::usage);
    return 2;
  }
  if (args->version)
    fmt::print("bidboard-chat {}, libcurl {}\n", BIDBOARD_VERSION,
               curl_version_info(CURLVERSION_NOW)->version);
  else if (args->help)
    fmt::print("{}", bidboard::usage);
  else
    return bidboard::run(*args);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "bidboard-chat: {}\n", error.what());
  return 1;
}
