#include "control_json.hpp"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "bernstein/base/text.hpp"

namespace bernstein::proc {
namespace {

using Json = nlohmann::json;

Json bytes_to_json(const std::string& bytes) {
  if (is_valid_utf8(bytes)) return bytes;
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex.append(1, k_digits[byte >> 4]).append(1, k_digits[byte & 15]);
  }
  return Json{{"hex", hex}};
}

Json pairs_to_json(const std::map<std::string, std::string>& pairs) {
  Json list = Json::array();
  for (const auto& [name, value] : pairs) list.push_back(Json::array({bytes_to_json(name), bytes_to_json(value)}));
  return list;
}

// The readers below throw exceptions of the library, or this; none leaves this file.
struct Unexpected {};

std::string bytes_from_json(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  const std::string hex = value.at("hex").get<std::string>();
  if (hex.size() % 2 != 0 || hex.find_first_not_of("0123456789abcdef") != std::string::npos) throw Unexpected{};
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::int64_t amount(const Json& value) {
  if (!value.is_number_integer()) throw Unexpected{};
  const auto number = value.get<std::int64_t>();
  if (number < 0) throw Unexpected{};
  return number;
}

const Json& array(const Json& value) {
  if (!value.is_array()) throw Unexpected{};
  return value;
}

std::string absolute_path(const Json& value) {
  std::string path = bytes_from_json(value);
  if (path.empty() || path.front() != '/') throw Unexpected{};
  return path;
}

std::map<std::string, std::string> pairs_from_json(const Json& value) {
  std::map<std::string, std::string> pairs;
  for (const Json& pair : array(value)) {
    if (array(pair).size() != 2) throw Unexpected{};
    pairs.emplace(bytes_from_json(pair.at(0)), bytes_from_json(pair.at(1)));
  }
  return pairs;
}

Order read_order(const Json& json) {
  Order order;
  port::ProcessSpec& process = order.process;
  for (const Json& argument : array(json.at("argv"))) process.argv.push_back(bytes_from_json(argument));
  if (process.argv.empty()) throw Unexpected{};
  for (const Json& word : array(json.at("wrapper"))) process.wrapper.push_back(bytes_from_json(word));
  process.env = pairs_from_json(json.at("env"));
  process.secrets = pairs_from_json(json.at("secrets"));
  process.directory = absolute_path(json.at("directory"));
  process.output_path = absolute_path(json.at("output_path"));
  process.output_bytes_max = amount(json.at("output_bytes_max"));
  process.timeout_us = amount(json.at("timeout_us"));
  process.grace_us = amount(json.at("grace_us"));
  order.supervise.lock_path = bytes_from_json(json.at("lock_path"));
  order.supervise.orphan_limit_us = amount(json.at("orphan_limit_us"));
  order.supervise.processes_max = amount(json.at("processes_max"));
  order.supervise.file_bytes_max = amount(json.at("file_bytes_max"));
  order.supervise.no_progress_us = amount(json.at("no_progress_us"));
  for (const Json& directory : array(json.at("watched"))) {
    order.supervise.watched.push_back(absolute_path(directory));
  }
  return order;
}

}  // namespace

std::string write_json(const Order& order) {
  const port::ProcessSpec& process = order.process;
  Json arguments = Json::array();
  for (const std::string& argument : process.argv) arguments.push_back(bytes_to_json(argument));
  Json wrapper = Json::array();
  for (const std::string& word : process.wrapper) wrapper.push_back(bytes_to_json(word));
  Json watched = Json::array();
  for (const std::string& directory : order.supervise.watched) watched.push_back(bytes_to_json(directory));
  return Json{{"argv", arguments},
              {"wrapper", wrapper},
              {"env", pairs_to_json(process.env)},
              {"secrets", pairs_to_json(process.secrets)},
              {"directory", bytes_to_json(process.directory)},
              {"output_path", bytes_to_json(process.output_path)},
              {"output_bytes_max", process.output_bytes_max},
              {"timeout_us", process.timeout_us},
              {"grace_us", process.grace_us},
              {"lock_path", bytes_to_json(order.supervise.lock_path)},
              {"orphan_limit_us", order.supervise.orphan_limit_us},
              {"processes_max", order.supervise.processes_max},
              {"file_bytes_max", order.supervise.file_bytes_max},
              {"no_progress_us", order.supervise.no_progress_us},
              {"watched", watched}}
             .dump() +
         "\n";
}

std::string write_json(const Identity& identity) {
  return Json{{"boot_id", identity.boot_id}, {"pid", identity.pid}, {"start_ticks", identity.start_ticks}}.dump() +
         "\n";
}

std::string write_json(const port::ProcessExit& exit) {
  return Json{{"exit_code", exit.exit_code},       {"signal", exit.signal},
              {"timed_out", exit.timed_out},       {"stalled", exit.stalled},
              {"stopped", exit.stopped},           {"orphaned", exit.orphaned},
              {"started", exit.started},           {"duration_us", exit.duration_us},
              {"output_bytes", exit.output_bytes}, {"error", printable_utf8(exit.error)}}
             .dump() +
         "\n";
}

std::string stall_to_json(Micros silent_us) {
  return Json{{"silent_us", silent_us}}.dump() + "\n";
}

Result<Order> order_from_json(const std::string& text, const std::string& path) {
  try {
    return read_order(Json::parse(text));
  } catch (const Json::exception& problem) {
    return Error{ErrorCode::corrupt, path + " is no specification of a command: " + problem.what()};
  } catch (const Unexpected&) {
    return Error{ErrorCode::corrupt, path + " is no specification of a command: a value is out of its range"};
  }
}

std::optional<Identity> identity_from_json(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    return Identity{.boot_id = json.at("boot_id").get<std::string>(),
                    .pid = amount(json.at("pid")),
                    .start_ticks = amount(json.at("start_ticks"))};
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Unexpected&) {
    return std::nullopt;
  }
}

std::optional<port::ProcessExit> exit_from_json(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    return port::ProcessExit{.exit_code = json.at("exit_code").get<int>(),
                             .signal = json.at("signal").get<int>(),
                             .timed_out = json.at("timed_out").get<bool>(),
                             .stopped = json.at("stopped").get<bool>(),
                             .duration_us = amount(json.at("duration_us")),
                             .output_bytes = amount(json.at("output_bytes")),
                             .stalled = json.at("stalled").get<bool>(),
                             .started = json.at("started").get<bool>(),
                             .orphaned = json.at("orphaned").get<bool>(),
                             .lost = false,
                             .error = json.at("error").get<std::string>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Unexpected&) {
    return std::nullopt;
  }
}

std::optional<Micros> stall_from_json(const std::string& text) {
  try {
    return amount(Json::parse(text).at("silent_us"));
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Unexpected&) {
    return std::nullopt;
  }
}

}  // namespace bernstein::proc
