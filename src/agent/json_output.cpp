#include "json_output.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "bernstein/base/text.hpp"

namespace bernstein::agent {
namespace {

constexpr int k_documents_tried_max = 20;

// The last line of a text; the text keeps what stands before it.
std::string_view take_last_line(std::string_view& text) {
  const std::size_t newline = text.rfind('\n');
  const std::string_view line = newline == std::string_view::npos ? text : text.substr(newline + 1);
  text = newline == std::string_view::npos ? std::string_view{} : text.substr(0, newline);
  return line;
}

// Where the document that starts at the front of a text ends: after its last bracket. Nothing when it does not.
std::optional<std::size_t> document_end(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return std::nullopt;
}

}  // namespace

Json parse_document(std::string_view text) {
  Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded() && !is_valid_utf8(text)) document = Json::parse(printable_utf8(text), nullptr, false);
  return document;
}

std::vector<Json> json_lines(std::string_view output) {
  std::vector<Json> lines;
  while (!output.empty()) {
    const std::size_t newline = std::min(output.find('\n'), output.size());
    const std::string_view line = trim(output.substr(0, newline));
    output.remove_prefix(std::min(newline + 1, output.size()));
    if (line.empty() || line.front() != '{') continue;
    if (Json document = parse_document(line); !document.is_discarded()) lines.push_back(std::move(document));
  }
  return lines;
}

Json last_document(std::string_view output, const std::function<bool(const Json&)>& wanted) {
  std::string_view before = output;
  for (int tried = 0; !before.empty() && tried < k_documents_tried_max;) {
    const std::string_view line = take_last_line(before);
    if (line.empty() || (line.front() != '{' && line.front() != '[')) continue;
    ++tried;
    const std::string_view rest = output.substr(static_cast<std::size_t>(line.data() - output.data()));
    const std::optional<std::size_t> end = document_end(rest);
    if (!end) continue;
    if (Json document = parse_document(rest.substr(0, *end)); !document.is_discarded() && wanted(document))
      return document;
  }
  return Json(Json::value_t::discarded);
}

const Json* find(const Json& document, const std::string& pointer) {
  if (pointer.empty()) return nullptr;
  try {
    const Json::json_pointer where(pointer);
    return document.contains(where) ? &document.at(where) : nullptr;
  } catch (const Json::exception&) {
    return nullptr;
  }
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null() || value.is_structured()) return "";
  return value.dump();
}

bool matches(const Json& line, const JsonMatch& when) {
  for (const auto& [pointer, wanted] : when) {
    const Json* value = find(line, pointer);
    if (value == nullptr || value->is_null()) return false;
    if (wanted != "*" && (value->is_structured() || text_of(*value) != wanted)) return false;
  }
  return true;
}

const Json* last_match(const std::vector<Json>& lines, const JsonMatch& when) {
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (matches(*line, when)) return &*line;
  }
  return nullptr;
}

}  // namespace bernstein::agent
