#include "reader.hpp"

#include <algorithm>
#include <charconv>

#include "bernstein/base/path.hpp"
#include "bernstein/base/text.hpp"

namespace bernstein::plan {
namespace {

const YamlEntry* find(const YamlNode& map, std::string_view key) {
  for (const YamlEntry& entry : map.entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

bool by_line(const Fault& a, const Fault& b) {
  return a.line < b.line;
}

}  // namespace

void Report::fault(int line, std::string message) {
  if (!names_lines()) line = 0;
  // Messages repeat what stands in the file, which may hold what steers a terminal.
  if (faults_.size() < k_faults_max) {
    faults_.push_back({line, printable_utf8(message)});
  } else {
    ++faults_dropped_;
  }
}

void Report::warn(int line, std::string message) {
  if (!names_lines()) line = 0;
  warnings_.push_back({line, printable_utf8(message)});
}

void Report::unused_key(int line, const std::string& key) {
  if (unused_.size() >= k_warnings_max && !unused_.contains(key)) return;
  auto [entry, is_new] = unused_.emplace(key, Unused{line, 0});
  if (is_new) return;
  ++entry->second.others;
  entry->second.line = std::min(entry->second.line, line);
}

std::string Report::suggest(std::string_view word, std::span<const std::string> candidates,
                            const std::string& otherwise) {
  if (suggestions_ >= k_suggestions_max) return otherwise;
  ++suggestions_;
  std::string clause = did_you_mean_clause(word, candidates);
  return clause.empty() ? otherwise : clause;
}

Faults Report::take_faults() {
  std::stable_sort(faults_.begin(), faults_.end(), by_line);
  if (faults_dropped_ > 0) {
    faults_.insert(faults_.begin(), {0, "has " + std::to_string(faults_dropped_) + " faults more than are shown here"});
  }
  return std::move(faults_);
}

std::vector<std::string> Report::take_warnings() {
  for (const auto& [key, unused] : unused_) {
    std::string others = unused.others == 1  ? ", nor at 1 other place"
                         : unused.others > 1 ? ", nor at " + std::to_string(unused.others) + " other places"
                                             : "";
    warn(unused.line, "key " + quoted(key) + " is not used here" + others);
  }
  std::stable_sort(warnings_.begin(), warnings_.end(), by_line);
  std::vector<std::string> texts;
  for (const Fault& warning : warnings_) texts.push_back(format(file_, {warning}));
  return texts;
}

std::string_view name_of(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null:
      return "empty";
    case YamlNode::Kind::scalar:
      return "text";
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
  }
  return "";
}

std::string quoted(std::string_view text) {
  return "'" + shortened(text, 60) + "'";
}

std::string name_in(const YamlNode& map, std::string_view key) {
  const YamlEntry* entry = find(map, key);
  return entry != nullptr && entry->value->kind == YamlNode::Kind::scalar ? on_one_line(entry->value->text) : "";
}

MapReader::MapReader(const YamlNode& node, std::string what, Report& report)
    : node_(node), what_(std::move(what)), report_(report) {}

int MapReader::line_of(std::string_view key) const {
  const YamlEntry* entry = find(node_, key);
  return entry != nullptr ? entry->line : node_.line;
}

bool MapReader::has(std::string_view key) const {
  const YamlEntry* entry = find(node_, key);
  return entry != nullptr && entry->value->kind != YamlNode::Kind::null;
}

bool MapReader::is_wrong(std::string_view key) const {
  return has(key) && find(node_, key)->value->kind != YamlNode::Kind::scalar;
}

void MapReader::accept(std::string_view key) {
  known_.emplace_back(key);
}

const YamlNode* MapReader::value(const std::string& key) {
  known_.push_back(key);
  const YamlEntry* entry = find(node_, key);
  return entry != nullptr && entry->value->kind != YamlNode::Kind::null ? entry->value : nullptr;
}

const YamlNode* MapReader::list(const std::string& key, std::string_view example) {
  const YamlNode* node = value(key);
  if (node == nullptr || node->kind == YamlNode::Kind::list) return node;
  fault(line_of(key),
        "has " + std::string(name_of(node->kind)) + " for '" + key + "'; write a list: " + std::string(example));
  return nullptr;
}

const YamlNode* MapReader::map(const std::string& key, std::string_view example) {
  const YamlNode* node = value(key);
  if (node == nullptr || node->kind == YamlNode::Kind::map) return node;
  fault(line_of(key),
        "has " + std::string(name_of(node->kind)) + " for '" + key + "'; write a map: " + std::string(example));
  return nullptr;
}

std::optional<std::string> MapReader::scalar(const std::string& key, std::string_view wanted) {
  const YamlNode* node = value(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind == YamlNode::Kind::scalar) return node->text;
  fault(line_of(key), "has " + std::string(name_of(node->kind)) + " for '" + key + "'; write " + std::string(wanted));
  return std::nullopt;
}

std::optional<std::string> MapReader::text(const std::string& key) {
  auto found = scalar(key, "text");
  if (found && trim(*found).empty()) return std::nullopt;
  return found;
}

std::optional<std::string> MapReader::line(const std::string& key) {
  auto found = text(key);
  if (!found) return std::nullopt;
  return on_one_line(*found);
}

std::optional<std::uint32_t> MapReader::number(const std::string& key, std::uint32_t min, std::uint32_t max) {
  return number_or(key, min, max, "", 0);
}

std::optional<std::uint32_t> MapReader::number_or(const std::string& key, std::uint32_t min, std::uint32_t max,
                                                  std::string_view word, std::uint32_t meaning) {
  std::string wanted = "a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  if (!word.empty()) wanted += ", or " + std::string(word);
  auto found = scalar(key, wanted);
  if (!found) return std::nullopt;
  std::string_view digits = trim(*found);
  if (!word.empty() && digits == word) return meaning;
  std::uint32_t number = 0;
  auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc{} && stop == digits.data() + digits.size() && number >= min && number <= max) return number;
  fault(line_of(key), "has " + quoted(*found) + " for '" + key + "'; write " + wanted);
  return std::nullopt;
}

std::optional<UsdMicros> MapReader::usd(const std::string& key) {
  constexpr std::string_view k_wanted = "US dollars, such as \"$15\" or 15.50";
  auto found = scalar(key, k_wanted);
  if (!found) return std::nullopt;
  auto amount = parse_usd(trim(*found));
  if (!amount) fault(line_of(key), "has " + quoted(*found) + " for '" + key + "'; write " + std::string(k_wanted));
  if (amount && amount->value == 0) {
    report_.warn(line_of(key), what_ + " has a " + key + " of 0, which sets no limit; remove it, or write an amount");
    return std::nullopt;
  }
  return amount;
}

std::optional<std::int64_t> MapReader::tokens(const std::string& key) {
  constexpr std::string_view k_wanted = "a number of tokens, such as 5M, 150k or 2000000";
  auto found = scalar(key, k_wanted);
  if (!found) return std::nullopt;
  auto amount = parse_tokens(trim(*found));
  if (!amount) fault(line_of(key), "has " + quoted(*found) + " for '" + key + "'; write " + std::string(k_wanted));
  if (amount == 0) {
    report_.warn(line_of(key), what_ + " has a " + key + " of 0, which sets no limit; remove it, or write an amount");
    return std::nullopt;
  }
  return amount;
}

std::optional<Micros> MapReader::duration(const std::string& key) {
  return read_duration(key, "a time of at most 720h, such as 90s, 10m or 1h30m", false);
}

std::optional<Micros> MapReader::duration_or_off(const std::string& key) {
  return read_duration(key, "a time of at most 720h, such as 90s, 10m or 1h30m, or off", true);
}

std::optional<Micros> MapReader::read_duration(const std::string& key, const std::string& wanted, bool may_be_off) {
  auto found = scalar(key, wanted);
  if (!found) return std::nullopt;
  const std::string_view text = trim(*found);
  if (may_be_off && (text == "off" || text == "0")) return 0;
  auto duration = parse_duration(text);
  if (duration && *duration <= k_duration_max) return duration;
  fault(line_of(key), "has " + quoted(*found) + " for '" + key + "'; write " + wanted);
  return std::nullopt;
}

std::vector<Located> MapReader::texts(const std::string& key) {
  std::vector<Located> found;
  const YamlNode* node = value(key);
  if (node == nullptr) return found;
  if (node->kind != YamlNode::Kind::list) {
    std::string example = node->kind == YamlNode::Kind::scalar ? "[" + on_one_line(node->text) + "]" : "[a, b]";
    if (example.size() > 60) example = "[a, b]";
    fault(line_of(key), "has " + std::string(name_of(node->kind)) + " for '" + key + "'; write a list: " + example);
    return found;
  }
  for (const YamlNode* item : node->items) {
    if (item->kind == YamlNode::Kind::scalar && !trim(item->text).empty()) {
      found.push_back({item->text, item->line});
    } else {
      std::string_view kind = item->kind == YamlNode::Kind::scalar ? "empty text" : name_of(item->kind);
      std::string entry = kind == "empty" ? "an empty entry" : std::string(kind);
      fault(item->line, "has " + entry + " in '" + key + "'; each entry is a text");
    }
  }
  return found;
}

std::vector<std::string> MapReader::paths(const std::string& key) {
  std::vector<std::string> found;
  for (const Located& path : texts(key)) {
    if (auto wrong = path_fault(path.text)) {
      fault(path.line, "has the path " + quoted(path.text) + " in '" + key + "', which " + *wrong);
    } else {
      found.push_back(normalise_pattern(path.text));
    }
  }
  return found;
}

std::optional<std::string> MapReader::one_of(const std::string& key, std::span<const std::string> words) {
  std::string choice = "one of " + join(words, ", ");
  auto found = scalar(key, choice);
  if (!found) return std::nullopt;
  std::string word(trim(*found));
  if (std::find(words.begin(), words.end(), word) != words.end()) return word;
  fault(line_of(key), "has " + quoted(word) + " for '" + key + "'" + report_.suggest(word, words, "; write " + choice));
  return std::nullopt;
}

std::optional<bool> MapReader::flag(const std::string& key) {
  static const std::vector<std::string> words{"false", "true"};
  const auto word = one_of(key, words);
  if (!word) return std::nullopt;
  return *word == "true";
}

void MapReader::finish(std::span<const std::string> unused, UnknownKeys unknown) {
  for (const YamlEntry& entry : node_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    if (std::find(unused.begin(), unused.end(), entry.key) != unused.end()) {
      report_.unused_key(entry.line, entry.key);
      continue;
    }
    // Keys are few, so they are always compared: what is refused must not depend on how much else is wrong.
    std::string clause = did_you_mean_clause(entry.key, known_);
    if (clause.empty() && unknown == UnknownKeys::warn) {
      report_.unused_key(entry.line, entry.key);
      continue;
    }
    fault(entry.line,
          "has the unknown key " + quoted(entry.key) + (clause.empty() ? "; known are " + join(known_, ", ") : clause));
  }
}

}  // namespace bernstein::plan
