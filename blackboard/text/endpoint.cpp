#include "blackboard/text/endpoint.hpp"
#include "blackboard/fmt.hpp"

#include <charconv>

namespace bidboard {

Result<std::pair<std::string, std::string>> tcp_endpoints(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  const bool is_tcp = listen.starts_with("tcp://") && colon > 6 && colon != std::string::npos;
  const std::string port = is_tcp ? listen.substr(colon + 1) : "";
  const std::string host = is_tcp ? listen.substr(0, colon) : "";
  if (port == "*") return std::pair(listen, listen);
  int number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size() || number < 1 || number > 65534)
    return fail(Errc::invalid, fmt::format("'{}' is not an address to listen on; write tcp://ADDRESS:PORT, "
                                           "for example tcp://0.0.0.0:7070, or * for any free port",
                                           listen));
  return std::pair(listen, fmt::format("{}:{}", host, number + 1));
}

}  // namespace bidboard
