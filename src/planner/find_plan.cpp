#include "find_plan.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "bernstein/base/text.hpp"
#include "bernstein/planner/answer.hpp"

namespace bernstein::planner {
namespace {

using Json = nlohmann::json;

constexpr std::size_t k_depth_max = 32;        // a plan has seven levels
constexpr std::size_t k_key_bytes_max = 200;   // YAML takes no key over 1024
constexpr std::size_t k_shown_bytes_max = 60;  // of the text before a fault
constexpr std::string_view k_expected =
    "; answer with one JSON object {\"name\": ..., \"stages\": [...]} and nothing before or after it";

std::string no_plan(const std::string& why) {
  return "the answer is no plan: " + why + std::string(k_expected);
}

// Reads JSON for what its parser lets pass: depth, and keys that stand twice, of which it keeps the last.
class Guard : public nlohmann::json_sax<Json> {
 public:
  explicit Guard(std::string_view text) : text_(text) {}

  const std::string& fault() const { return fault_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& key) override {
    if (key.size() > k_key_bytes_max) {
      return refuse("it has a key of " + std::to_string(key.size()) + " bytes, '" + shortened(key, 40) + "'");
    }
    if (keys_.back().insert(key).second) return true;
    return refuse("the key '" + shortened(key, 40) + "' stands twice in one object of it");
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    if (position >= text_.size()) return refuse("its JSON ends too early");
    const std::size_t end = position > 0 ? position - 1 : 0;  // the character that is wrong is not shown
    const std::size_t start = end > k_shown_bytes_max ? end - k_shown_bytes_max : 0;
    const std::string before = on_one_line(printable_utf8(text_.substr(start, end - start)));
    return refuse("its JSON is wrong after '" + before + "'");
  }

 private:
  bool open() {
    keys_.emplace_back();
    return keys_.size() <= k_depth_max || refuse("it is nested deeper than " + std::to_string(k_depth_max) + " levels");
  }
  bool close() {
    keys_.pop_back();
    return true;
  }
  bool refuse(std::string why) {
    fault_ = std::move(why);
    return false;
  }

  std::string_view text_;
  std::string fault_;
  std::vector<std::set<std::string>> keys_;
};

// As deep as Guard lets pass.
void write_yaml(const Json& value, std::size_t indent, std::string& out) {
  if (!value.is_structured() || value.empty()) {
    out += ' ' + value.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
    return;
  }
  out += '\n';
  for (const auto& [key, item] : value.items()) {
    out += std::string(indent, ' ');
    out += value.is_object() ? Json(key).dump(-1, ' ', false, Json::error_handler_t::replace) + ":" : "-";
    write_yaml(item, indent + 2, out);
  }
}

std::size_t steps_of(const Json& plan) {
  std::size_t count = 0;
  const Json& stages = plan.at("stages");
  if (!stages.is_array()) return 0;
  for (const Json& stage : stages) {
    const auto steps = stage.find("steps");
    if (steps != stage.end() && steps->is_array()) count += steps->size();
  }
  return count;
}

struct ParsedJson {
  std::optional<Json> object;
  std::string fault;
};

ParsedJson parse_object(std::string_view text) {
  Guard guard(text);
  if (!Json::sax_parse(text, &guard)) return {std::nullopt, guard.fault()};
  Json document = Json::parse(text, nullptr, false);
  if (!document.is_object()) return {std::nullopt, "it is no JSON object"};
  return {std::move(document), ""};
}

struct Fence {
  char mark = '`';
  std::size_t length = 0;
  bool bare = false;  // nothing stands behind it
};

// A line that begins or ends a fenced block. Indented ones are within a text of YAML.
std::optional<Fence> fence_in(std::string_view line) {
  const std::size_t start = std::min(line.find_first_not_of(' '), line.size());
  if (start > 3 || start == line.size() || (line[start] != '`' && line[start] != '~')) return std::nullopt;
  const std::size_t end = std::min(line.find_first_not_of(line[start], start), line.size());
  if (end - start < 3) return std::nullopt;
  return Fence{line[start], end - start, trim(line.substr(end)).empty()};
}

// What stands in fenced blocks. A block that is not closed goes to the end.
std::vector<std::string_view> fenced_blocks(std::string_view text) {
  std::vector<std::string_view> blocks;
  std::optional<Fence> open;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::optional<Fence> fence = fence_in(text.substr(at, end - at));
    if (fence && !open) {
      open = fence;
      start = std::min(end + 1, text.size());
    } else if (fence && fence->bare && fence->mark == open->mark && fence->length >= open->length) {
      blocks.push_back(text.substr(start, at - start));
      open.reset();
    }
    at = end + 1;
  }
  if (open) blocks.push_back(text.substr(start));
  return blocks;
}

bool looks_like_yaml(std::string_view text) {
  return text.starts_with("stages:") || text.find("\nstages:") != std::string_view::npos;
}

// Where the object that begins here ends (behind its brace), strings passed over; nothing when it does not.
std::optional<std::size_t> end_of_object(std::string_view text, std::size_t begin) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::nullopt;
}

// The objects that stand in a text, one after another: from the first brace, and from those that begin a line. One
// that does not end is the last, up to the last brace there is; so often only is a false start passed over.
std::vector<std::string_view> texts_in_braces(std::string_view text) {
  constexpr int k_false_starts_max = 8;  // each costs a look at the rest of the text
  std::vector<std::string_view> found;
  int false_starts = 0;
  for (std::size_t at = text.find('{'); at != std::string_view::npos;) {
    const std::optional<std::size_t> end = end_of_object(text, at);
    if (!end) {
      const std::size_t last = text.rfind('}');
      if (last != std::string_view::npos && last > at) found.push_back(text.substr(at, last + 1 - at));
      const std::size_t line = text.find("\n{", at);
      if (++false_starts > k_false_starts_max || line == std::string_view::npos) break;
      at = line + 1;
      continue;
    }
    found.push_back(text.substr(at, *end - at));
    const std::size_t line = text.find("\n{", *end - 1);
    at = line == std::string_view::npos ? line : line + 1;
  }
  return found;
}

class Finder {
 public:
  Finder(std::string_view text, std::size_t steps_max) : text_(text), trimmed_(trim(text)), steps_max_(steps_max) {}

  FoundPlan find() {
    if (trimmed_.empty()) return {"", no_plan("it is empty")};
    if (trimmed_.front() == '{' && try_json(trimmed_)) return json_plan();
    const std::vector<std::string_view> blocks = fenced_blocks(text_);
    for (const std::string_view block : blocks) {
      if (trim(block).starts_with('{')) try_json(trim(block));
    }
    if (plans_.empty()) {
      for (const std::string_view braces : texts_in_braces(text_)) try_json(braces);
    }
    if (!plans_.empty()) return json_plan();
    return yaml_plan(blocks);
  }

 private:
  bool try_json(std::string_view text) {
    ParsedJson parsed = parse_object(text);
    if (!parsed.object) {
      if (fault_.empty()) fault_ = parsed.fault;
      return false;
    }
    // Other objects may be quoted beside the plan; without a plan the first one is judged.
    if (parsed.object->contains("stages")) {
      plans_.push_back(std::move(*parsed.object));
      return true;
    }
    if (!other_) other_ = std::move(parsed.object);
    return false;
  }

  FoundPlan json_plan() {
    if (std::any_of(plans_.begin(), plans_.end(), [&](const Json& plan) { return plan != plans_.front(); })) {
      return {"", no_plan("there are " + std::to_string(plans_.size()) + " in it")};
    }
    FoundPlan found;
    found.steps = steps_of(plans_.front());
    if (found.steps > steps_max_) return found;
    write_yaml(plans_.front(), 0, found.yaml);
    return found;
  }

  FoundPlan yaml_plan(const std::vector<std::string_view>& blocks) {
    std::vector<std::string_view> plans;
    for (const std::string_view block : blocks) {
      if (looks_like_yaml(block)) plans.push_back(block);
    }
    if (plans.size() > 1) return {"", no_plan("there are " + std::to_string(plans.size()) + " in it")};
    if (!plans.empty()) return {std::string(plans.front()), ""};
    if (looks_like_yaml(text_)) return {std::string(text_), ""};
    if (other_) return {"", no_plan("its JSON object has no 'stages'")};
    if (!fault_.empty()) return {"", no_plan(fault_)};
    if (text_.find('{') != std::string_view::npos) return {"", no_plan("its JSON ends too early")};
    return {"", no_plan("there is no JSON object in it")};
  }

  std::string_view text_;
  std::string_view trimmed_;
  std::size_t steps_max_;
  std::vector<Json> plans_;
  std::optional<Json> other_;
  std::string fault_;
};

}  // namespace

FoundPlan find_plan(std::string_view text, std::size_t steps_max) {
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  if (text.size() > k_answer_bytes_max) {
    return {"", no_plan("it is over " + std::to_string(k_answer_bytes_max >> 20) + " MB")};
  }
  std::string readable;
  if (!is_valid_utf8(text)) text = readable = printable_utf8(text);
  if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
  return Finder(text, steps_max).find();
}

}  // namespace bernstein::planner
