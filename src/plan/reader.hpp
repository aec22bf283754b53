#pragma once
// Reading settings out of a YAML tree: typed, by key, with a fault for everything that is not as it should be.
//
//     Report report("plan.yaml");
//     MapReader step(node, "step 'docs'", report);
//     std::string role = step.line("role").value_or("backend");
//     step.finish({"mode", "repo"}, UnknownKeys::warn);
//
// A key without a value (null) counts as absent. Getters return nothing for what is absent and for what is wrong; the
// second also leaves a fault in the report.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bernstein/base/units.hpp"
#include "bernstein/event/fields.hpp"
#include "bernstein/plan/faults.hpp"
#include "yaml.hpp"

namespace bernstein::plan {

// What was found wrong (faults) and what was passed over (warnings).
class Report {
 public:
  enum class Lines { named, left_out };

  explicit Report(std::string file, Lines lines = Lines::named) : file_(std::move(file)), lines_(lines) {}

  bool names_lines() const { return lines_ == Lines::named; }
  void fault(int line, std::string message);
  void warn(int line, std::string message);
  void unused_key(int line, const std::string& key);  // one warning for a key, however often it stands

  // "; did you mean 'x'?", else `otherwise`. Only so many names are looked up, because a hostile document can have
  // thousands that are wrong and thousands that they could be.
  std::string suggest(std::string_view word, std::span<const std::string> candidates, const std::string& otherwise);

  bool clean() const { return faults_.empty(); }
  Faults take_faults();                      // sorted; at most k_faults_max and one that counts the rest
  std::vector<std::string> take_warnings();  // sorted by line; likewise

 private:
  struct Unused {
    int line = 0;
    std::size_t others = 0;
  };
  std::string file_;
  Lines lines_;
  Faults faults_;
  std::size_t faults_dropped_ = 0;
  std::vector<Fault> warnings_;
  std::map<std::string, Unused> unused_;
  std::size_t suggestions_ = 0;
};

inline constexpr std::size_t k_faults_max = 1000;
inline constexpr std::size_t k_warnings_max = 100;
inline constexpr std::size_t k_suggestions_max = 50;

// "a list", "a map", "text": what a fault calls a value.
std::string_view name_of(YamlNode::Kind kind);

// 'text' in quotes, shortened for a message.
std::string quoted(std::string_view text);

struct Located {
  std::string text;
  int line = 0;
};

enum class UnknownKeys { refuse, warn };  // warn: refuses only what is probably a typing error

// The text of a key, on one line; "" when there is none. For names that messages use before the map is read.
std::string name_in(const YamlNode& map, std::string_view key);

class MapReader {
 public:
  // `what` begins every message: "step 'docs'". The node, report and reader live as long as the tree is read.
  MapReader(const YamlNode& node, std::string what, Report& report);

  const std::string& what() const { return what_; }
  int line() const { return node_.line; }
  int line_of(std::string_view key) const;  // of the key, or of the map when it is absent

  void fault(int line, const std::string& message) { report_.fault(line, what_ + " " + message); }

  bool has(std::string_view key) const;       // with a value
  bool is_wrong(std::string_view key) const;  // with a list or a map where a text belongs: that is a fault already
  void accept(std::string_view key);          // no fault for it in finish()

  const YamlNode* value(const std::string& key);  // nothing when absent or null
  const YamlNode* list(const std::string& key, std::string_view example);
  const YamlNode* map(const std::string& key, std::string_view example);
  std::optional<std::string> text(const std::string& key);  // verbatim; never empty
  std::optional<std::string> line(const std::string& key);  // on one line; never empty
  std::optional<std::uint32_t> number(const std::string& key, std::uint32_t min, std::uint32_t max);
  // The same, or a word that stands for another one.
  std::optional<std::uint32_t> number_or(const std::string& key, std::uint32_t min, std::uint32_t max,
                                         std::string_view word, std::uint32_t meaning);
  std::optional<UsdMicros> usd(const std::string& key);
  std::optional<std::int64_t> tokens(const std::string& key);
  std::optional<Micros> duration(const std::string& key);         // at most k_duration_max
  std::optional<Micros> duration_or_off(const std::string& key);  // 0 for "off", also written 0
  std::vector<Located> texts(const std::string& key);             // a list of texts, none empty
  std::vector<std::string> paths(const std::string& key);         // the same, checked by path_fault and normalised
  std::optional<std::string> one_of(const std::string& key, std::span<const std::string> words);

  std::optional<bool> flag(const std::string& key);  // true or false

  // One of the words of an enum (event/fields.hpp).
  template <class E>
  std::optional<E> word(const std::string& key) {
    std::vector<std::string> words(Words<E>::all.begin(), Words<E>::all.end());
    auto found = one_of(key, words);
    E value{};
    if (!found || !from_word(*found, value)) return std::nullopt;
    return value;
  }

  // Faults for keys that nobody asked for. `unused` are known, have no meaning here, and get a warning.
  void finish(std::span<const std::string> unused, UnknownKeys unknown);

 private:
  std::optional<std::string> scalar(const std::string& key, std::string_view wanted);
  std::optional<Micros> read_duration(const std::string& key, const std::string& wanted, bool may_be_off);

  const YamlNode& node_;
  std::string what_;
  Report& report_;
  std::vector<std::string> known_;
};

inline constexpr Micros k_duration_max = 30 * 24 * k_hour;

}  // namespace bernstein::plan
